"""Lines that hold a comment alone, indented as the line that they are about."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class _CommentLine(NamedTuple):
    """A comment's line, its indentation, and that of the next line that holds something; None where none follows."""

    at: int
    column: int
    next_column: int | None


def aligned(before: str, after: str) -> str:
    """The text `after`, where each comment that was aligned with the next line in `before` is so again.

    Both have the same comment lines in the same order; otherwise `after` stays as it is.
    """
    lines = after.split("\n")
    was, now = [*_comment_lines(before.split("\n"))], [*_comment_lines(lines)]
    if len(was) != len(now):
        return after
    for old, new in zip(was, now, strict=True):
        if old.column == old.next_column and new.next_column is not None:
            lines[new.at] = " " * new.next_column + lines[new.at].lstrip(" ")
    return "\n".join(lines)


def _comment_lines(lines: Sequence[str]) -> Iterator[_CommentLine]:
    follows: int | None = None
    found = []
    for at, line in reversed([*enumerate(lines)]):
        content = line.lstrip(" ")
        column = len(line) - len(content)
        if content.startswith("#"):
            found.append(_CommentLine(at, column, follows))
        elif content.startswith(("---", "...")):
            follows = None
        elif content.strip():
            follows = column
    yield from reversed(found)
