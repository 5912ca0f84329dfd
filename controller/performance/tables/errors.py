"""What can be wrong with a table of measurements."""

from pathlib import Path


class TableError(Exception):
    """A table cannot be read. The message names the file, the line and the column, and what was expected there."""

    def __init__(self, path: Path, problem: str, line: int | None = None, column: str | None = None) -> None:
        at = "".join((f", line {line}" if line else "", f", column '{column}'" if column else ""))
        super().__init__(f"{path}{at}: {problem}")
        self.path = path
        self.line = line
        self.column = column
