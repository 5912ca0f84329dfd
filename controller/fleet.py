"""The fleet in the terms of its real parts: what each server loads and what each gateway route does.

A plan speaks of options and paths; servers and gateways know neither. A `Fleet` is what a plan asks of them, what an
actuator brings about, and what the snapshot is compared with.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem

Seat = tuple[Placement, str]
"""A placement on a server, which is called by its node; the node is empty where a pool has one server for all."""


@dataclass(frozen=True, slots=True, order=True)
class Load:
    """A placement on a server: how many instances, with which batching.

    The server is that of `node`, or the one that stands for all nodes of the pool where no node is named.
    """

    placement: Placement
    instances: int
    max_batch: int
    queue_delay_us: int
    node: str = ""

    @property
    def seat(self) -> Seat:
        """What is loaded, and on which server."""
        return self.placement, self.node

    def __str__(self) -> str:
        return seat_name(self.seat)


def seat_name(seat: Seat) -> str:
    """A placement, and the node where one is named, as people read it."""
    placement, node = seat
    return f"{placement} on {node}" if node else str(placement)


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
class Parts:
    """How requests for a placement are parted over its nodes: each with its weight, its instances in lowest terms."""

    placement: Placement
    nodes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, order=True)
class RouteSet:
    """The ways that the requests of one demand take. Weights that sum to less than 1000 leave the rest refused.

    `parts` are of the placements whose pool has a server on each node.
    """

    service: str
    origin: str
    ways: tuple[Way, ...]
    parts: tuple[Parts, ...] = ()

    def nodes_of(self, placement: Placement) -> tuple[tuple[str, int], ...]:
        """The nodes that serve a placement, with their weights; none where a server stands for its whole pool."""
        return next((parts.nodes for parts in self.parts if parts.placement == placement), ())


@dataclass(frozen=True, slots=True)
class Fleet:
    """All loads and routes, sorted."""

    loads: tuple[Load, ...] = ()
    routes: tuple[RouteSet, ...] = ()

    def instances(self) -> Counter[Placement]:
        """Instances by placement, over all servers of its pool."""
        found: Counter[Placement] = Counter()
        for load in self.loads:
            found[load.placement] += load.instances
        return found


EMPTY: Final = Fleet()
"""Nothing runs."""


def fleet_of(plan: Plan, problem: Problem) -> Fleet:
    """What a plan asks of servers and gateways. Demands without a route keep an empty route set: all is refused."""
    counts: Counter[Seat] = Counter()
    settings: dict[Placement, tuple[int, int]] = {}
    for item in plan.instances:
        option = problem.option(item.option)
        counts[option.placement, problem.server_of(item.node)] += item.count
        settings[option.placement] = option.max_batch, option.queue_delay_us
    shares = {route.path: route.share_permille for route in plan.routes}
    ways: defaultdict[str, list[Way]] = defaultdict(list)
    for path in problem.paths:
        if shares.get(path.id):
            placements = tuple(problem.option(option).placement for option in path.options)
            ways[path.demand].append(Way(shares[path.id], placements, path.encodings))
    parts = parts_of(counts)
    routes = (routed(d.service, d.origin, ways[d.id], parts) for d in (*problem.demands, *problem.asleep))
    loads = (Load(placement, count, *settings[placement], node) for (placement, node), count in counts.items())
    return Fleet(tuple(sorted(loads)), tuple(sorted(routes)))


def parts_of(counts: Mapping[Seat, int]) -> dict[Placement, Parts]:
    """How the requests of each placement are parted over the servers of its nodes, from the instances on each."""
    nodes: defaultdict[Placement, dict[str, int]] = defaultdict(dict)
    for (placement, node), count in counts.items():
        if node and count:
            nodes[placement][node] = count
    return {
        placement: Parts(
            placement, tuple((node, count // math.gcd(*here.values())) for node, count in sorted(here.items()))
        )
        for placement, here in nodes.items()
    }


def routed(service: str, origin: str, ways: Iterable[Way], parts: Mapping[Placement, Parts]) -> RouteSet:
    """The route set of a demand, with the parts of what its ways go over."""
    taken = tuple(sorted(ways))
    over = {placement for way in taken for placement in way.placements if placement in parts}
    return RouteSet(service, origin, taken, tuple(parts[placement] for placement in sorted(over)))
