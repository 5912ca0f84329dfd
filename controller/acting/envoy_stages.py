"""What a gateway's route file says, from route sets and the policy: pure, and readable back from Envoy itself."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

from collectors.recording import decode, encode
from collectors.triton_names import triton_name
from controller.embedded.envoy_routes import RouteEntry, StageRoute, route_configuration
from controller.fleet import RouteSet, Way
from policy.resolved import WHOLE_PERMILLE, Policy

METADATA: Final = "gridwright"
"""The key under which a route configuration carries the route sets that it was made from."""

PACKED: Final = "gzip"
"""The encoding that a gateway can put in force."""

Json = dict[str, Any]


def stage_routes(routes: Iterable[RouteSet], policy: Policy) -> tuple[StageRoute, ...]:
    """A weighted list for each stage of each demand. The lists of a demand's stages run in parallel."""
    return tuple(
        StageRoute(
            item.origin,
            item.service,
            stage.name,
            tuple(_entry(way, index) for way in item.ways),
            WHOLE_PERMILLE - sum(way.weight_permille for way in item.ways),
        )
        for item in sorted(routes)
        for index, stage in enumerate(policy.service(item.service).stages)
    )


def _entry(way: Way, stage: int) -> RouteEntry:
    """A way at a stage. Of encodings the gateway can do gzip; in any other one it is the caller who sends."""
    placement = way.placements[stage]
    name = triton_name(placement.model, placement.variant)
    return RouteEntry(placement.pool, name, way.weight_permille, compressed=way.encoding(stage) == PACKED)


def link_delays_us(policy: Policy) -> dict[tuple[str, str], int]:
    """The round trip from each site to each pool of another, by (site, pool), where a link is known."""
    rtt = {frozenset((link.a, link.b)): link.rtt_us for link in policy.links}
    return {
        (site.name, pool.name): rtt[pair]
        for site in policy.sites
        for pool in policy.pools
        if (pair := frozenset((site.name, pool.site))) in rtt
    }


def configuration(origin: str, routes: Iterable[RouteSet], policy: Policy, *, emulate_links: bool) -> Json:
    """The route configuration of an origin, with the route sets in its metadata."""
    kept = tuple(sorted(routes))
    delays = link_delays_us(policy) if emulate_links else {}
    rendered = route_configuration(origin, stage_routes(kept, policy), delays)
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
