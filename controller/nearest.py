"""A hint for a name that nobody knows."""

from collections.abc import Iterable

from policy import words


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, or the first ones of all."""
    choices = sorted(set(known))
    if close := words.nearest(name, choices):
        return f"did you mean '{close}'?"
    return f"known: {words.listed(choices) or 'none'}"
