"""Spans of seconds (the end excluded) in which something is held, and whether they leave a gap."""

from collections.abc import Iterable, Sequence

Span = tuple[int, int]
"""The first second, and the first one after."""


def cover(spans: Sequence[Span], needed: range) -> bool:
    """Whether something is held at the start, and again at each end that falls before the last second needed."""
    moments = (needed.start, *(until_s for _, until_s in spans if until_s in needed))
    return all(any(moment in range(*span) for span in spans) for moment in moments)


def unbroken_until_s(spans: Iterable[Span], now_s: int) -> int:
    """The second at which the first gap begins; 0 when nothing is held now."""
    end_s = 0
    for from_s, until_s in sorted(spans):
        if max(end_s, now_s) in range(from_s, until_s):
            end_s = until_s
    return end_s
