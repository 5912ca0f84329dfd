"""The most that a path may cost an hour where a ceiling counts it: so sums of prices stay in 64 bits."""

from collections.abc import Iterable
from typing import Final

from policy.findings import Place
from policy.words import dollars_per_hour
from rules.kernel.formulation import Flow
from rules.kernel.rule import Violation

MOST_MILLICENTS_PER_HOUR: Final = 10**11
"""$1,000,000 an hour, for all of a demand. What is minimised counts a path as no more than this either."""
PATH: Final = "a path"
"""The quantity of a violation of this limit."""
HINT: Final = "allow pools that are nearer or cheaper, or take the ceiling out"

Prices = tuple[tuple[str, int], ...]
"""(path, millicents an hour where it carries all of its demand)."""


def capped(prices: Prices) -> Prices:
    """The prices as rows have them."""
    return tuple((path, min(price, MOST_MILLICENTS_PER_HOUR)) for path, price in prices)


def closed(rule: str, place: Place, prices: Prices) -> Iterable[Flow]:
    """A row by which those of the paths that cost more carry nothing; none where no path does."""
    dear = tuple((path, 1) for path, price in prices if price > MOST_MILLICENTS_PER_HOUR)
    return (Flow(rule, place, dear, highest=0),) if dear else ()


def told(violation: Violation) -> str:
    """What a path costs, and what it may."""
    return (
        f"{violation.subject} take a path that costs {dollars_per_hour(violation.measured)} with all of them; "
        f"under a ceiling no path may cost more than {dollars_per_hour(violation.limit)}"
    )
