"""The routes of a demand as objects: an HTTPRoute, and a GRPCRoute where its Gateway takes calls by gRPC.

One object has all stages, so that a change of routes is seen whole or not at all.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from collectors.recording import decode, encode
from controller.cluster.names import MANAGED_BY, MANAGER, MOST_LABEL, ROUTES, backend_of, digested, namespace_of
from controller.cluster.routes.draws import pattern
from controller.cluster.routes.parting import PartedStage, Share
from controller.cluster.routes.settings import GatewaySettings, Listener
from controller.cluster.servers.backends import REFUSED
from controller.cluster.servers.server import GRPC, HTTP
from controller.cluster.servers.standing import ROUTED
from controller.embedded.envoy_routes import DRAW_HEADER, REQUEST_TIMEOUT_S
from controller.fleet import RouteSet

DEMAND: Final = "gridwright.dev/routes"
"""An annotation: the route set that an object was made from."""
STAGE_HEADER: Final = "x-gridwright-stage"
"""Names SERVICE/STAGE in calls by gRPC, whose path names only what Triton is called for."""
GRPC_SERVICE: Final = "inference.GRPCInferenceService"
GRPC_METHODS: Final = ("ModelInfer", "ModelMetadata", "ModelReady")
"""What callers of a stage need. The others of that service load, unload and configure."""

Manifest = dict[str, Any]


def http_route(routes: RouteSet, stages: Iterable[PartedStage], gateway: GatewaySettings) -> Manifest:
    """`/SERVICE/STAGE/v2/models/…` is called at the gateway, and the variant of a share behind it."""
    rules = [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": path}, **_drawn(stage, share)}],
            **_rewritten(share),
            "backendRefs": list(_backends(share, HTTP)),
            "timeouts": {"request": f"{REQUEST_TIMEOUT_S}s"},
        }
        for stage in stages
        for path in [f"/{routes.service}/{stage.stage}/v2/models"]
        for share in stage.shares
    ]
    return _route("HTTPRoute", routes, gateway, gateway, rules)


def grpc_route(
    routes: RouteSet, stages: Iterable[PartedStage], gateway: GatewaySettings, listener: Listener
) -> Manifest:
    """Of each stage, the calls that name it in a header. The message names the variant, which stays as it is."""
    rules = [
        {
            "matches": [
                {
                    "method": {"type": "Exact", "service": GRPC_SERVICE, "method": method},
                    "headers": [named, *_drawn(stage, share).get("headers", ())],
                }
                for method in GRPC_METHODS
            ],
            "backendRefs": list(_backends(share, GRPC)),
        }
        for stage in stages
        for named in [{"type": "Exact", "name": STAGE_HEADER, "value": f"{routes.service}/{stage.stage}"}]
        for share in stage.shares
    ]
    return _route("GRPCRoute", routes, gateway, listener, rules)


def demand_of(live: Any) -> RouteSet | None:
    """The route set that an object was made from; None for one that Gridwright did not write.

    Raises RecordingError when it does not read as such.
    """
    carried = live["metadata"].get("annotations", {}).get(DEMAND)
    return decode(str(carried).encode(), RouteSet) if carried else None


def route_name(routes: RouteSet, kind: str = "HTTPRoute") -> str:
    """What the object of a demand is called. Contour takes two routes of one name for one, whatever their kinds."""
    before = "grpc-" if kind == "GRPCRoute" else ""
    return before + digested(f"{routes.service}/{routes.origin}", MOST_LABEL - len(before))


def _route(
    kind: str, routes: RouteSet, gateway: GatewaySettings, listener: Listener, rules: list[Manifest]
) -> Manifest:
    parent = {"namespace": gateway.namespace, "name": gateway.name}
    section = {"sectionName": listener.section} if listener.section else {}
    return {
        "apiVersion": ROUTED[kind].version,
        "kind": kind,
        "metadata": {
            "name": route_name(routes, kind),
            "namespace": ROUTES,
            "labels": {MANAGED_BY: MANAGER},
            "annotations": {DEMAND: encode(routes).decode()},
        },
        "spec": {
            "parentRefs": [{**parent, **section}],
            **({"hostnames": list(listener.hostnames)} if listener.hostnames else {}),
            "rules": rules,
        },
    }


def _drawn(stage: PartedStage, share: Share) -> Manifest:
    if not stage.by_draw:
        return {}
    digits = len(str(stage.whole)) - 1
    drawn = pattern(share.start, share.end, digits)
    return {"headers": [{"type": "RegularExpression", "name": DRAW_HEADER, "value": drawn}]}


def _rewritten(share: Share) -> Manifest:
    """The path that its variant has at a Triton; a name in the caller's path says no more than which stage it is."""
    if not share.model:
        return {}
    path = {"type": "ReplaceFullPath", "replaceFullPath": f"/v2/models/{share.model}/infer"}
    return {"filters": [{"type": "URLRewrite", "urlRewrite": {"path": path}}]}


def _backends(share: Share, port: int) -> Iterator[Manifest]:
    for (pool, node), weight in share.servers:
        yield {"name": backend_of(node), "namespace": namespace_of(pool), "port": port, "weight": weight}
    if share.refused:
        yield {"name": REFUSED, "port": port, "weight": share.refused}
