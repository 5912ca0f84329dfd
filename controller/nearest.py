"""A hint for a name that nobody knows."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, or all of them."""
    choices = sorted(set(known))
    near = difflib.get_close_matches(name, choices, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(choices) or 'none'}"
