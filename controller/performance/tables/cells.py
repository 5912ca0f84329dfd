"""The cells of one line of a CSV, taken by column name and checked."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controller.performance.tables.errors import TableError

LARGEST: Final = 1e12
"""No latency in us, throughput or batch is larger; a number above it is a damaged cell."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The line's cells by column, all stripped; a column that the table lacks reads as empty."""

    path: Path
    line: int
    by_column: dict[str, str]

    def text(self, column: str) -> str:
        """The cell, or an empty string."""
        return self.by_column.get(column, "")

    def number(self, column: str) -> float:
        """A number above zero. Raises TableError."""
        found = self.number_if_any(column)
        if found is None:
            raise self.wrong(column, "a number above zero is expected, and the cell is empty")
        return found

    def number_if_any(self, column: str) -> float | None:
        """A number above zero, or None where the cell is empty. Raises TableError."""
        raw = self.text(column)
        if not raw:
            return None
        value = self._finite(column, raw)
        if value <= 0:
            raise self.wrong(column, f"a number above zero is expected, not '{raw}'")
        return value

    def duration(self, column: str) -> float:
        """A number of zero or more; an empty cell is zero. Raises TableError."""
        raw = self.text(column)
        value = self._finite(column, raw) if raw else 0.0
        if value < 0:
            raise self.wrong(column, f"a duration is expected, zero or more, not '{raw}'")
        return value

    def count(self, column: str) -> int:
        """A whole number of 1 or more; an empty cell is 1. Raises TableError."""
        value = self.number_if_any(column)
        if value is None:
            return 1
        if value != round(value):
            raise self.wrong(column, f"a whole number is expected, not '{self.text(column)}'")
        return round(value)

    def wrong(self, column: str, problem: str) -> TableError:
        """An error that points at this cell."""
        return TableError(self.path, problem, self.line, column)

    def _finite(self, column: str, raw: str) -> float:
        try:
            value = float(raw)
        except ValueError as error:
            raise self.wrong(column, f"a number is expected, not '{raw[:40]}'") from error
        if not math.isfinite(value) or abs(value) > LARGEST:
            raise self.wrong(column, f"a number of at most {LARGEST:g} is expected, not '{raw[:40]}'")
        return value
