"""What links cost: the payloads of requests that leave the site of their origin, as they are sent."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

from rules.kernel.latest import Latest
from rules.kernel.problem import Demand, Path, Problem

GIB: Final = 1024**3
MILLI_RPS_IN_REQUESTS_AN_HOUR: Final = Fraction(3_600, 1_000)
AN_HOUR: Final = MILLI_RPS_IN_REQUESTS_AN_HOUR.numerator
PER_GIB: Final = MILLI_RPS_IN_REQUESTS_AN_HOUR.denominator * GIB


def egress_of_a_request(problem: Problem, path: Path) -> Fraction:
    """Millicents that the links of a path cost for one request.

    Each stage at another site than the origin takes the inputs of its calls over the Link between the two, in the
    path's encoding. What comes back is not counted, for no document tells its size.
    """
    return Fraction(_priced_bytes(problem, path), GIB)


def egress_millicents_per_hour(problem: Problem, path: Path) -> int:
    """What they cost when the path carries all of its demand, rounded up to a whole millicent an hour."""
    per_hour = problem.demand(path.demand).rate_milli_rps * AN_HOUR
    return -(-per_hour * _priced_bytes(problem, path) // PER_GIB)


def _priced_bytes(problem: Problem, path: Path) -> int:
    """The bytes of one request that cross links, each times the millicents a GiB of its link."""
    known = _known(problem).get(path.demand)
    if known is None:
        known = _known(problem)[path.demand] = _Sending(problem, problem.demand(path.demand))
    return known.of(path)


class _Sending:
    """What sending a demand's requests takes; ways are asked for again and again, for paths go few."""

    def __init__(self, problem: Problem, demand: Demand) -> None:
        self._problem = problem
        self._origin = demand.origin
        self._sites = _sites(problem)
        self._stages = problem.service_of(demand).stages
        self._ways: tuple[dict[tuple[str, str], int], ...] = tuple({} for _ in self._stages)

    def of(self, path: Path) -> int:
        """The priced bytes of a path."""
        sites, price = self._sites, 0
        for at, (ways, option) in enumerate(zip(self._ways, path.options, strict=True)):
            way = sites[option], path.encodings[at] if path.encodings else ""
            known = ways.get(way)
            if known is None:
                known = ways[way] = self._of_way(at, *way)
            price += known
        return price

    def _of_way(self, at: int, site: str, encoding: str) -> int:
        link = self._problem.link(self._origin, site)
        per_gib = link.egress_from(self._origin) if link else 0
        return self._stages[at].sent_bytes(encoding) * per_gib if per_gib else 0


def _sites_of(problem: Problem) -> Mapping[str, str]:
    return {option.id: problem.site_of(option) for option in problem.options}


_sites: Final = Latest(_sites_of)
"""By option, its site."""


def _nothing_known(problem: Problem) -> dict[str, _Sending]:  # noqa: ARG001 - whose demands they will be
    return {}


_known: Final = Latest(_nothing_known)
"""By demand, what was asked for already."""


def carried_prices(problem: Problem, origins: Iterable[str] | None = None) -> tuple[tuple[str, int], ...]:
    """That price by path, where there is one; of these origins or of all."""
    wanted = None if origins is None else frozenset(origins)
    return tuple((path, price) for path, origin, price in _priced(problem) if wanted is None or origin in wanted)


def _priced_paths(problem: Problem) -> tuple[tuple[str, str, int], ...]:
    """The paths with a price, each with its origin."""
    if not any(link.egress for link in problem.policy.links):
        return ()
    found = list[tuple[str, str, int]]()
    for demand in problem.demands:
        sending, per_hour = _Sending(problem, demand), demand.rate_milli_rps * AN_HOUR
        for path in problem.paths_of(demand.id):
            if price := -(-per_hour * sending.of(path) // PER_GIB):
                found.append((path.id, demand.origin, price))
    return tuple(found)


_priced: Final = Latest(_priced_paths)
