"""Words in messages: what a reader wrote, shown safely, and the valid word that is nearest to it."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

SHOWN_CHARACTERS: Final = 60
LISTED_WORDS: Final = 12
MILLICENTS: Final = 100_000
"""In a dollar."""
_COMPARED_WORDS: Final = 500
_SIMILAR: Final = 0.6
_TELLING: Final = 3


def shown(value: object) -> str:
    """The value in backquotes, cut short and without control characters."""
    text = str(value)
    cut = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
    return f"`{''.join(each if each.isprintable() else '?' for each in cut)}`"


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """The valid word most like `word`, whatever the case; None when none is like it.

    A word that only one goes on with is that one, however long it is.
    """
    by_lower = {each.lower(): each for each in list(valid)[:_COMPARED_WORDS]}
    written = word[:SHOWN_CHARACTERS].lower()
    longer = [each for each in by_lower if len(written) >= _TELLING and each.startswith(written)]
    found = longer if len(longer) == 1 else get_close_matches(written, by_lower, n=1, cutoff=_SIMILAR)
    return by_lower[found[0]] if found else None


def suggestion(word: str, valid: Iterable[str], none: str) -> str:
    """The hint for a word that is not valid: the nearest one, else all of them, else `none`."""
    words = sorted(set(valid))
    if not words:
        return none
    close = nearest(word, words)
    return f"did you mean `{close}`? valid here: {listed(words)}" if close else f"valid here: {listed(words)}"


def listed(words: Sequence[str]) -> str:
    """The first LISTED_WORDS of them."""
    return ", ".join(words[:LISTED_WORDS]) + (", …" if len(words) > LISTED_WORDS else "")


def counted(number: int, thing: str) -> str:
    """So many of a thing, whose plural ends in `s`: 1 rack, 2 racks."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def dollars(millicents: int) -> str:
    """An amount as documents write it: two digits behind the point, and more where they are not 0."""
    whole, rest = divmod(abs(millicents), MILLICENTS)
    return f"{'-' if millicents < 0 else ''}${whole}.{f'{rest:05}'.rstrip('0'):0<2}"


def dollars_per_hour(millicents_per_hour: int) -> str:
    """A price of an hour as documents write it."""
    return f"{dollars(millicents_per_hour)}/h"
