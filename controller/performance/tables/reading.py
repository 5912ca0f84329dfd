"""Reading a table of measurements from a CSV file."""

import csv
from pathlib import Path
from typing import Final

from controller.nearest import nearest
from controller.performance.tables.cells import Cells
from controller.performance.tables.errors import TableError
from controller.performance.tables.formats import FORMATS, Format, Unstated
from controller.performance.tables.measurement import Measurement

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_ROWS: Final = 200_000


def read_table(path: Path, unstated: Unstated | None = None) -> tuple[Measurement, ...]:
    """The measurements of a CSV in any of the known formats, in the file's order.

    Raises TableError: unreadable, too large, of no known format, or a cell that holds something else than its column
    says.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TableError(path, f"larger than {MAX_BYTES // 1024**2} MiB: split it by model")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TableError(path, f"cannot be read ({error.strerror}): see whether the path is right") from error
    except UnicodeDecodeError as error:
        raise TableError(path, f"not UTF-8 text ({error}): give a CSV file, not a spreadsheet") from error
    return _parsed(path, text, unstated or Unstated())


def _parsed(path: Path, text: str, unstated: Unstated) -> tuple[Measurement, ...]:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    found: list[Measurement] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        form = _format(path, header)
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise TableError(path, f"{len(header)} cells are expected, {len(cells)} found", reader.line_num)
            if len(found) == MAX_ROWS:
                raise TableError(path, f"more than {MAX_ROWS} rows: split it by model", reader.line_num)
            line = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
            row = form.read(Cells(path, reader.line_num, line), unstated)
            if row is not None:
                found.append(row)
    except csv.Error as error:
        raise TableError(path, f"not a CSV line ({error}): see its quotes", reader.line_num) from error
    if not found:
        raise TableError(path, "a table with at least one measured row is expected, and none is there")
    return tuple(found)


def _format(path: Path, header: list[str]) -> Format:
    """The format whose columns the header has; the nearest one's missing columns are what the error names."""
    missing = {form: [name for name in form.columns if name not in header] for form in FORMATS}
    closest = min(FORMATS, key=lambda form: len(missing[form]) / len(form.columns))
    if missing[closest]:
        name = missing[closest][0]
        known = ", ".join(form.name for form in FORMATS)
        problem = f"a {closest.name} table must have it; {nearest(name, header)} (formats: {known})"
        raise TableError(path, problem, 1, name)
    return closest
