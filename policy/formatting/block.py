"""A block mapping cut into entries, each with the comments that are its own."""

import re
from itertools import dropwhile
from typing import Final, NamedTuple

from policy.formatting.marks import Edit, Entry, begin, end, has_block_scalar, line_end, line_start

_DASHES: Final = re.compile(r" *(?:- *)+")


class _Piece(NamedTuple):
    """An entry: the lines above it, its own, and comments below that are indented further than its key."""

    above: list[str]
    own: str
    below: list[str]


def block_edit(text: str, entries: list[Entry], order: list[int], *, is_root: bool) -> Edit | None:
    """The entries in another order; None where they cannot be cut apart safely.

    Comments above the first key of a document are the document's.
    """
    before = [text[line_start(text, begin(each.key)) : begin(each.key)] for each in entries]
    behind_dash = _DASHES.fullmatch(before[0]) is not None
    if any(each.strip() for each in before[behind_dash:]) or any(has_block_scalar(each.value) for each in entries):
        return None
    pieces = _pieces(text, entries, indent=len(before[0]))
    start = begin(entries[0].key)
    if not behind_dash:
        above = [] if is_root else _lines_above(text, line_start(text, start))
        pieces[0] = pieces[0]._replace(above=above)
        start = line_start(text, start) - sum(len(line) + 1 for line in above)
    first = pieces[order[0]]
    first = first._replace(above=[*dropwhile(lambda line: not line.strip(), first.above)])
    if behind_dash and first.above:  # there is no line behind the dash that the comment could go to
        return None
    lines = [line for each in (first, *(pieces[at] for at in order[1:])) for line in _lines(each, len(before[0]))]
    moved = "\n".join(lines)
    return Edit(start, line_end(text, end(entries[-1].value)), moved[len(before[0]) :] if behind_dash else moved)


def _lines(piece: _Piece, indent: int) -> list[str]:
    return [*piece.above, f"{' ' * indent}{piece.own}", *piece.below]


def _pieces(text: str, entries: list[Entry], indent: int) -> list[_Piece]:
    """Every entry; the lines above the first are left to whoever knows whose they are."""
    above: list[str] = []
    pieces = []
    for at, (key, value) in enumerate(entries):
        stop = line_end(text, end(value))
        gap = text[stop + 1 : line_start(text, begin(entries[at + 1].key))] if at + 1 < len(entries) else ""
        below, rest = _parted(gap.split("\n")[:-1], indent)
        pieces.append(_Piece(above, text[begin(key) : stop], below))
        above = rest
    return pieces


def _parted(lines: list[str], indent: int) -> tuple[list[str], list[str]]:
    """Lines between two entries: those up to the last comment that is indented further, and those after it."""
    deeper = [at for at, line in enumerate(lines) if line.strip() and len(line) - len(line.lstrip(" ")) > indent]
    cut = deeper[-1] + 1 if deeper else 0
    return lines[:cut], lines[cut:]


def _lines_above(text: str, start: int) -> list[str]:
    """The comment lines that stand right above a line."""
    found: list[str] = []
    while start > 0:
        above = line_start(text, start - 1)
        line = text[above : start - 1]
        if not line.lstrip().startswith("#"):
            break
        found.insert(0, line)
        start = above
    return found
