"""What a gateway's route file says, from route sets and the policy: pure, and readable back from Envoy itself."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from collectors.recording import decode, encode
from collectors.triton_names import triton_name
from controller.embedded.envoy_routes import RouteEntry, StageRoute, route_configuration
from controller.fleet import RouteSet, Way
from policy.resolved import WHOLE_PERMILLE, Policy, Service
from policy.waking import SECOND_US

METADATA: Final = "gridwright"
"""The key under which a route configuration carries the route sets that it was made from."""

PACKED: Final = "gzip"
"""The encoding that a gateway can put in force."""

FINER: Final = 1000
"""So many times finer are weights where they are parted over nodes."""

Json = dict[str, Any]
Delays = Mapping[tuple[str, str], int]
"""Round trips in us that a gateway has to make up, by site and pool."""


@dataclass(frozen=True, slots=True)
class Routed:
    """A service as a gateway needs to know it: its stages in order, and how long requests wait while it wakes up."""

    stages: tuple[str, ...]
    hold_s: int = 0


Services = Mapping[str, Routed]
"""Services by name."""


def services_of(policy: Policy) -> dict[str, Routed]:
    """The services of a policy."""
    return {
        service.name: Routed(tuple(stage.name for stage in service.stages), hold_s(_wake_up_us(service)))
        for service in policy.services
    }


def hold_s(wake_up_us: int) -> int:
    """How long requests wait while a service wakes up, in whole seconds; 0 where it does not sleep."""
    return -(-wake_up_us // SECOND_US)


def stage_routes(routes: Iterable[RouteSet], services: Services) -> tuple[StageRoute, ...]:
    """A weighted list for each stage of each demand. The lists of a demand's stages run in parallel.

    Where requests are parted over nodes, all of a demand's weights are in millionths instead of thousandths: one draw
    then still means the same way in every stage.
    """
    return tuple(
        StageRoute(
            item.origin,
            item.service,
            stage,
            tuple(entry for way in item.ways for entry in _entries(item, way, index)),
            (WHOLE_PERMILLE - sum(way.weight_permille for way in item.ways)) * _finer(item),
            services[item.service].hold_s,
        )
        for item in sorted(routes)
        for index, stage in enumerate(services[item.service].stages)
    )


def _finer(routes: RouteSet) -> int:
    return FINER if routes.parts else 1


def _entries(routes: RouteSet, way: Way, stage: int) -> Iterator[RouteEntry]:
    """A way at a stage, an entry for each node that requests are parted over.

    Of encodings the gateway can do gzip; in any other one it is the caller who sends.
    """
    placement, weight = way.placements[stage], way.weight_permille * _finer(routes)
    name = triton_name(placement.model, placement.variant)
    whole = RouteEntry(placement.pool, name, weight, compressed=way.encoding(stage) == PACKED)
    nodes = routes.nodes_of(placement)
    shares = parted(weight, [each for _, each in nodes])
    yield from (replace(whole, weight=share, node=node) for (node, _), share in zip(nodes, shares, strict=True))
    if not nodes:
        yield whole


def parted(whole: int, weights: Sequence[int]) -> list[int]:
    """A whole number in parts that go by these weights, each less than 1 off, and sum to it."""
    ends = [whole * sum(weights[: index + 1]) // sum(weights) for index in range(len(weights))]
    return [end - start for start, end in itertools.pairwise((0, *ends))]


def _wake_up_us(service: Service) -> int:
    return service.scale_to_zero.wake_up_us if service.scale_to_zero else 0


def link_delays_us(policy: Policy) -> dict[tuple[str, str], int]:
    """The round trip from each site to each pool of another, by (site, pool), where a link is known."""
    rtt = {frozenset((link.a, link.b)): link.rtt_us for link in policy.links}
    return {
        (site.name, pool.name): rtt[pair]
        for site in policy.sites
        for pool in policy.pools
        if (pair := frozenset((site.name, pool.site))) in rtt
    }


def configuration(origin: str, routes: Iterable[RouteSet], services: Services, delays_us: Delays) -> Json:
    """The route configuration of an origin, with the route sets in its metadata."""
    kept = tuple(sorted(routes))
    rendered = route_configuration(origin, stage_routes(kept, services), delays_us)
    return rendered | {"metadata": {"filter_metadata": {METADATA: {"routes": encode(kept).decode()}}}}


def version(wanted: Json) -> str:
    """What tells one route configuration from another: equal ones have the same."""
    return sha256(encode(wanted)).hexdigest()


def route_sets(in_force: Json) -> tuple[RouteSet, ...]:
    """The route sets that a configuration was made from; none for one that Gridwright did not write.

    Raises RecordingError when they do not read as such.
    """
    carried = in_force.get("metadata", {}).get("filter_metadata", {}).get(METADATA, {}).get("routes")
    return decode(str(carried).encode(), tuple[RouteSet, ...]) if carried else ()
