"""What routes of the Gateway API need beside servers: a Service for each server, and leave to lead there."""

from collections.abc import Iterator
from typing import Final

from controller.cluster.api_server.resources import REFERENCE_GRANTS
from controller.cluster.names import MANAGED_BY, MANAGER, ROUTES, SERVER, backend_of, namespace_of, server_of
from controller.cluster.servers.server import GRPC, HTTP, Manifest, pool_labels, server_labels
from policy.resolved import Pool

REFUSED: Final = "refused"
"""The Service without servers that gets what no plan serves: a gateway answers it with 503."""
CLEARTEXT_HTTP2: Final = "kubernetes.io/h2c"
"""How the protocol of a port is named that gRPC comes in by."""


def around_routes() -> Iterator[Manifest]:
    """The namespace of routes, and what they lead to where nothing serves."""
    labels = {MANAGED_BY: MANAGER}
    restricted = {f"pod-security.kubernetes.io/{how}": "restricted" for how in ("enforce", "audit", "warn")}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ROUTES, "labels": {**labels, **restricted}}}
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": REFUSED, "namespace": ROUTES, "labels": labels},
        "spec": {"clusterIP": "None", "ports": _ports()},
    }


def grant(pool: Pool) -> Manifest:
    """That routes may lead to the Services of a pool."""
    kinds = ("HTTPRoute", "GRPCRoute")
    group = REFERENCE_GRANTS.version.partition("/")[0]
    return {
        "apiVersion": REFERENCE_GRANTS.version,
        "kind": "ReferenceGrant",
        "metadata": {"name": "routes", "namespace": namespace_of(pool.name), "labels": pool_labels(pool.name)},
        "spec": {
            "from": [{"group": group, "kind": kind, "namespace": ROUTES} for kind in kinds],
            "to": [{"group": "", "kind": "Service"}],
        },
    }


def backend(pool: Pool, node: str) -> Manifest:
    """The Service that leads to the server on a node, while its pod is ready. Gateways go by its endpoints."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": backend_of(node),
            "namespace": namespace_of(pool.name),
            "labels": server_labels(pool.name, node),
        },
        "spec": {"clusterIP": "None", "selector": {SERVER: server_of(node)}, "ports": _ports()},
    }


def _ports() -> list[Manifest]:
    return [
        {"name": "http", "port": HTTP, "targetPort": "http"},
        {"name": "grpc", "port": GRPC, "targetPort": "grpc", "appProtocol": CLEARTEXT_HTTP2},
    ]
