"""What links cost: the payloads of requests that leave the site of their origin, as they are sent."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from rules.kernel.latest import Latest
from rules.kernel.problem import Path, Problem

GIB: Final = 1024**3
MILLI_RPS_IN_REQUESTS_AN_HOUR: Final = Fraction(3_600, 1_000)


def egress_of_a_request(problem: Problem, path: Path) -> Fraction:
    """Millicents that the links of a path cost for one request.

    Each stage at another site than the origin takes the inputs of its calls over the Link between the two, in the
    path's encoding. What comes back is not counted, for no document tells its size.
    """
    return Fraction(_priced_bytes(problem, path), GIB)


def egress_millicents_per_hour(problem: Problem, path: Path) -> int:
    """What they cost when the path carries all of its demand, rounded up to a whole millicent an hour."""
    per_hour = problem.demand(path.demand).rate_milli_rps * MILLI_RPS_IN_REQUESTS_AN_HOUR.numerator
    return -(-per_hour * _priced_bytes(problem, path) // (MILLI_RPS_IN_REQUESTS_AN_HOUR.denominator * GIB))


def _priced_bytes(problem: Problem, path: Path) -> int:
    """The bytes of one request that cross links, each times the millicents a GiB of its link."""
    demand, per_gib = problem.demand(path.demand), _per_gib(problem)
    price = 0
    for at, (stage, name) in enumerate(zip(problem.service_of(demand).stages, path.options, strict=True)):
        way = demand.origin, problem.site_of(problem.option(name))
        if way not in per_gib:
            link = problem.link(*way)
            per_gib[way] = link.egress_from(demand.origin) if link else 0
        if per_gib[way]:
            price += stage.sent_bytes(path.encoding(at)) * per_gib[way]
    return price


def _no_prices(problem: Problem) -> dict[tuple[str, str], int]:  # noqa: ARG001 - whose prices they will be
    return {}


_per_gib: Final = Latest(_no_prices)
"""By origin and site, the price of the way there, for a problem's paths go few ways; what was asked for already."""


def carried_prices(problem: Problem, origins: Iterable[str] | None = None) -> tuple[tuple[str, int], ...]:
    """That price by path, where there is one; of these origins or of all."""
    wanted = None if origins is None else frozenset(origins)
    return tuple((path, price) for path, origin, price in _priced(problem) if wanted is None or origin in wanted)


def _priced_paths(problem: Problem) -> tuple[tuple[str, str, int], ...]:
    """The paths with a price, each with its origin."""
    if not any(link.egress for link in problem.policy.links):
        return ()
    prices = ((path, egress_millicents_per_hour(problem, path)) for path in problem.paths)
    return tuple((path.id, problem.demand(path.demand).origin, price) for path, price in prices if price)


_priced: Final = Latest(_priced_paths)
