"""The fleet in the terms of its real parts: what each server loads and what each gateway route does.

A plan speaks of options and paths; servers and gateways know neither. A `Fleet` is what a plan asks of them, what an
actuator brings about, and what the snapshot is compared with.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem


@dataclass(frozen=True, slots=True, order=True)
class Load:
    """A placement on its pool's server: how many instances, with which batching."""

    placement: Placement
    instances: int
    max_batch: int
    queue_delay_us: int


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """One weighted way through a service: the placement that serves each stage, in the order of the stages.

    `encodings` names by stage in which encoding its input is sent, empty for as it is; () where that holds of all.
    """

    weight_permille: int
    placements: tuple[Placement, ...]
    encodings: tuple[str, ...] = ()

    def encoding(self, stage: int) -> str:
        """In which encoding the input of the stage at that place is sent; empty for as it is."""
        return self.encodings[stage] if self.encodings else ""


@dataclass(frozen=True, slots=True, order=True)
class RouteSet:
    """The ways that the requests of one demand take. Weights that sum to less than 1000 leave the rest refused."""

    service: str
    origin: str
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """All loads and routes, sorted."""

    loads: tuple[Load, ...] = ()
    routes: tuple[RouteSet, ...] = ()

    def load(self, placement: Placement) -> Load | None:
        """What is loaded of a placement."""
        return next((load for load in self.loads if load.placement == placement), None)


EMPTY: Final = Fleet()
"""Nothing runs."""


def fleet_of(plan: Plan, problem: Problem) -> Fleet:
    """What a plan asks of servers and gateways. Demands without a route keep an empty route set: all is refused."""
    loads: dict[Placement, Load] = {}
    for item in plan.instances:
        option = problem.option(item.option)
        before = loads[option.placement].instances if option.placement in loads else 0
        loads[option.placement] = Load(option.placement, before + item.count, option.max_batch, option.queue_delay_us)
    shares = {route.path: route.share_permille for route in plan.routes}
    ways: defaultdict[str, list[Way]] = defaultdict(list)
    for path in problem.paths:
        if shares.get(path.id):
            placements = tuple(problem.option(option).placement for option in path.options)
            ways[path.demand].append(Way(shares[path.id], placements, path.encodings))
    routes = (RouteSet(d.service, d.origin, tuple(sorted(ways[d.id]))) for d in problem.demands)
    return Fleet(tuple(sorted(loads.values())), tuple(sorted(routes)))
