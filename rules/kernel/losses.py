"""What a plan loses with a site, and where that may go: read off the plan's routes, for the check of `survival` alone.

`refuge.py` says the same for rows, of all paths, and shares nothing with this: there an option is tried with all that
it would combine to, here the paths that it makes are counted.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from policy.resolved import Service, UseVariant
from rules.kernel.measure import carried
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE, Option, Path, Problem

Refuge = frozenset[str]
"""The options that calls of a stage may go to."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A site that is lost: calls by where else they may go, of each service that survives any site.

    `room` is what the instances of each of those options may be given beside the routes that avoid the site. Both are
    in millionths of a call a second.
    """

    site: str
    calls: Mapping[str, Mapping[Refuge, int]]
    room: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Route:
    """A path in use, with the calls that it brings each stage."""

    path: Path
    service: Service
    sites: frozenset[str]
    calls: tuple[int, ...]


def losses(plan: Plan, problem: Problem) -> Iterator[Loss]:
    """The loss of each site that serves a service which survives any site."""
    routes = [_route(problem, path, share) for path, share in carried(plan, problem)]
    asking = [route for route in routes if route.service.survives_any_site]
    standing: Counter[str] = Counter()
    for item in plan.instances:
        standing[item.option] += item.count
    instead = _Instead(problem)
    for site in sorted({site for route in asking for site in route.sites}):
        calls: defaultdict[str, Counter[Refuge]] = defaultdict(Counter)
        for route in (route for route in asking if site in route.sites):
            for refuge, amount in zip(instead.of(route, site), route.calls, strict=True):
                calls[route.service.name][refuge] += amount
        places = {problem.option(name) for each in calls.values() for refuge in each for name in refuge}
        room = {each.id: standing[each.id] * each.capacity_milli_rps * WHOLE_PERMILLE for each in places}
        for route in (route for route in routes if site not in route.sites):
            for option, amount in zip(route.path.options, route.calls, strict=True):
                if option in room:
                    room[option] -= amount
        yield Loss(site, calls, room)


def _route(problem: Problem, path: Path, share_permille: int) -> _Route:
    demand = problem.demand(path.demand)
    service = problem.service_of(demand)
    calls = tuple(share_permille * stage.fanout * demand.rate_milli_rps for stage in service.stages)
    return _Route(path, service, _sites(problem, path), calls)


def _sites(problem: Problem, path: Path) -> frozenset[str]:
    return frozenset(problem.pool_of(problem.option(name)).site for name in path.options)


class _Instead:
    """Where calls may go; of routes that may go to the same places it is worked out once."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._found: dict[tuple[str, str, int], tuple[Refuge, ...]] = {}

    def of(self, route: _Route, site: str) -> tuple[Refuge, ...]:
        """By stage, the options for the calls of a route through a site: on paths that open no later than its own."""
        problem, service = self._problem, route.service
        opens = _opens(problem, service, route.path)
        key = route.path.demand, site, opens
        if key not in self._found:
            ways = {
                path.options
                for path in problem.paths_of(route.path.demand)
                if path.id not in problem.barred
                and site not in _sites(problem, path)
                and _opens(problem, service, path) <= opens
            }
            self._found[key] = _combining(problem, service, ways)
        return self._found[key]


def _opens(problem: Problem, service: Service, path: Path) -> int:
    """How many degrade steps have to be taken for all variants of a path."""
    ladder = [(step.model, step.variant) if isinstance(step, UseVariant) else None for step in service.degrade]
    placements = (problem.option(name).placement for name in path.options)
    variants = {(placement.model, placement.variant) for placement in placements}
    return max((ladder.index(variant) + 1 for variant in variants.intersection(ladder)), default=0)


def _combining(problem: Problem, service: Service, ways: Collection[tuple[str, ...]]) -> tuple[Refuge, ...]:
    """The options of the cheapest way, and from the cheapest on each that makes nothing but ways with those taken."""
    if not ways:
        return (Refuge(),) * len(service.stages)
    through: defaultdict[tuple[int, str], list[tuple[str, ...]]] = defaultdict(list)
    for way in ways:
        for at, name in enumerate(way):
            through[at, name].append(way)
    price = {
        (at, name): service.stages[at].fanout * _taken_by_a_call(problem, problem.option(name)) for at, name in through
    }
    cheapest = min(ways, key=lambda way: (sum(price[each] for each in enumerate(way)), way))
    taken = [{name} for name in cheapest]
    for at, name in sorted(through, key=lambda each: (price[each], each)):
        beside = [(stage, names) for stage, names in enumerate(taken) if stage != at]
        made = sum(all(way[stage] in names for stage, names in beside) for way in through[at, name])
        if made == math.prod(len(names) for _, names in beside):
            taken[at].add(name)
    return tuple(map(Refuge, taken))


def _taken_by_a_call(problem: Problem, option: Option) -> Fraction:
    """What a call on a busy instance takes of the price of its node, in a unit that is the same for all options."""
    pool = problem.pool_of(option)
    of_node = max(option.memory_mib * pool.share_permille, option.share_permille * pool.memory_mib)
    answers = max(1, option.capacity_milli_rps)
    return Fraction(pool.price_millicents_per_hour * of_node, pool.memory_mib * pool.share_permille * answers)
