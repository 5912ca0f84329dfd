"""How far a demand's routes can be said by the Gateway API, and what its Gateway leaves undone of a plan."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from controller.acting.envoy_stages import PACKED
from controller.cluster.routes.catalogue import not_packed, not_woken, unsayable, without_grpc
from controller.cluster.routes.parting import PartedStage, is_bound, parted_stages
from controller.cluster.routes.settings import GatewaySettings
from controller.fleet import RouteSet
from policy.findings import Finding
from policy.resolved import Policy

MOST_RULES: Final = 16
"""Of a route, as the schema has it."""


def why_not(
    routes: RouteSet, stages: Sequence[PartedStage], gateway: GatewaySettings, elsewhere: Collection[str]
) -> Finding | None:
    """Why a demand cannot have a route, if so. `elsewhere` are the pools without servers in the cluster."""
    subject = demand(routes)
    away = sorted({p.pool for way in routes.ways for p in way.placements if p.pool in elsewhere})
    if away:
        why = f"{', '.join(away)} has its servers outside of the cluster, where a route cannot lead"
        return unsayable(subject, why, "have the cluster make its servers, or name an Envoy of your own for the origin")
    drawn = [stage.stage for stage in stages if stage.by_draw]
    if drawn and not gateway.draws:
        reason = (
            "its ways have to stay together over stages"
            if is_bound(routes)
            else "it has several variants or too many servers"
        )
        hint = (
            "have callers send x-gridwright-draw, and set `draws: true` where the Gateway matches regular expressions"
        )
        return unsayable(subject, f"{', '.join(drawn)} cannot be parted by weights alone: {reason}", hint)
    rules = sum(len(stage.shares) for stage in stages)
    if rules > MOST_RULES:
        why = f"it takes {rules} rules, and a route has {MOST_RULES} at most"
        return unsayable(subject, why, "name an Envoy of your own for its origin, or have fewer stages in one service")
    return None


def by_grpc(stages: Iterable[PartedStage]) -> tuple[PartedStage, ...]:
    """The stages that can be called by gRPC: those of one variant, for the message names it."""
    return tuple(stage for stage in stages if len(stage.models) <= 1)


def left_undone(
    routes: Iterable[RouteSet], policy: Policy, gateways: Mapping[str, GatewaySettings]
) -> tuple[Finding, ...]:
    """What Gateways do not do of a plan's routes."""
    return tuple(
        finding
        for each in routes
        if each.origin in gateways
        for finding in _left_undone(each, policy, gateways[each.origin])
    )


def _left_undone(routes: RouteSet, policy: Policy, gateway: GatewaySettings) -> Iterator[Finding]:
    service = policy.service(routes.service)
    subject = demand(routes)
    if service.scale_to_zero:
        yield not_woken(subject)
    packed = [stage.name for index, stage in enumerate(service.stages) if _is_packed(routes, index)]
    if packed:
        yield not_packed(subject, packed)
    if gateway.grpc:
        stages = parted_stages(routes, policy)
        for stage in stages:
            if stage not in by_grpc(stages):
                yield without_grpc(f"{subject}, stage {stage.stage}", f"it calls {', '.join(sorted(stage.models))}")


def _is_packed(routes: RouteSet, stage: int) -> bool:
    return any(way.encoding(stage) == PACKED for way in routes.ways)


def demand(routes: RouteSet) -> str:
    """As people read it."""
    return f"service {routes.service} from {routes.origin}"
