"""Ranges of draws as regular expressions: a Gateway can compare a header with one, and not by numbers.

A draw is a number that a caller sends with all requests of a run, so that the run stays on one way. What counts is its
remainder by a power of ten, which are its last digits.
"""

from collections.abc import Iterator


def pattern(start: int, end: int, digits: int) -> str:
    """What matches, as a whole, each number whose last `digits` digits are from `start` to below `end`.

    In the syntax that RE2 and others share. A number with fewer digits is one with zeros before it.
    """
    return f"^(?:{'|'.join(way for block in _blocks(start, end, digits) for way in _written(block))})$"


def _blocks(start: int, end: int, digits: int) -> Iterator[list[str]]:
    """The range in as few blocks as share their first digits, each as what its digits may be."""
    while start < end:
        free = max(n for n in range(digits) if start % 10**n == 0 and start + 10**n <= end)
        step = 10**free
        first = start // step % 10
        last = min(9, first + (end - start) // step - 1)
        fixed = digits - free - 1
        before = list(f"{start // step // 10:0{fixed}d}") if fixed else []
        yield [*before, str(first) if first == last else f"[{first}-{last}]", *["[0-9]"] * free]
        start += (last - first + 1) * step


def _written(block: list[str]) -> Iterator[str]:
    """The block behind any other digits, and without its first ones where they may be zeros."""
    yield "[0-9]*" + "".join(block)
    for left_out in range(1, len(block)):
        if not block[left_out - 1].startswith(("0", "[0")):
            return
        yield "".join(block[left_out:])
