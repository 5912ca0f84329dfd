"""Where requests may go when a site is lost: by stage, options outside of which every combination is a path."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from policy.findings import Place
from policy.resolved import Service, UseVariant
from rules.kernel.allocation import cost_of_a_call
from rules.kernel.problem import Demand, Path, Problem

Ways = set[tuple[str, ...]]
"""The options of some paths."""


@dataclass(frozen=True, slots=True)
class Moving:
    """The paths of a demand through a site that open at one step of its degrade order, and where they could go instead.

    `refuge` has, for each stage, options at other sites. Each combination of them is a path of the demand that opens at
    that step or earlier, so that stages need not look at each other. It is empty at each stage where no such path is.
    `place` is that of the clause which asks for it.
    """

    place: Place
    demand: Demand
    site: str
    paths: tuple[Path, ...]
    refuge: tuple[frozenset[str], ...]


def moving(problem: Problem) -> Iterator[Moving]:
    """What would have to move of each service that survives any site, for every site that its requests may go to."""
    for demand in problem.demands:
        service = problem.service_of(demand)
        objective = service.availability
        if objective is None or not objective.survives_any_site or not demand.rate_milli_rps:
            continue
        known = [(path, sites(problem, path), opens(problem, service, path)) for path in problem.paths_of(demand.id)]
        usable = [(path.options, there, opens) for path, there, opens in known if path.id not in problem.barred]
        for site in sorted({site for _, there, _ in known for site in there}):
            for step in sorted({opens for _, there, opens in known if site in there}):
                paths = tuple(path for path, there, opens in known if site in there and opens == step)
                ways = {options for options, there, opens in usable if site not in there and opens <= step}
                yield Moving(objective.place, demand, site, paths, refuge(problem, service, ways))


def sites(problem: Problem, path: Path) -> frozenset[str]:
    """The sites that serve a stage of a path."""
    return frozenset(problem.site_of(problem.option(option)) for option in path.options)


def opens(problem: Problem, service: Service, path: Path) -> int:
    """The step of the degrade order from which a path may carry anything; 0 where it needs none."""
    steps: dict[tuple[str, str], int] = {}
    for number, step in enumerate(service.degrade, start=1):
        if isinstance(step, UseVariant):
            steps.setdefault((step.model, step.variant), number)
    if not steps:
        return 0
    placements = [problem.option(option).placement for option in path.options]
    taken = {(placement.model, placement.variant) for placement in placements}
    return max((steps.get(variant, 0) for variant in taken), default=0)


def refuge(problem: Problem, service: Service, ways: Ways) -> tuple[frozenset[str], ...]:
    """All options of the ways where they combine freely; else what does around the cheapest way, the cheapest first."""
    if not ways:
        return (frozenset(),) * len(service.stages)
    every = tuple(map(frozenset, zip(*ways, strict=True)))
    if math.prod(map(len, every)) == len(ways):
        return every
    price = [
        {name: stage.fanout * cost_of_a_call(problem, problem.option(name)) for name in here}
        for stage, here in zip(service.stages, every, strict=True)
    ]
    cheapest = min(ways, key=lambda way: (sum(price[at][name] for at, name in enumerate(way)), way))
    found = [{name} for name in cheapest]
    for _, at, name in sorted((price[at][name], at, name) for at, here in enumerate(every) for name in here):
        if ways.issuperset(itertools.product(*found[:at], {name}, *found[at + 1 :])):
            found[at].add(name)
    return tuple(map(frozenset, found))
