"""The objects of a cluster that a plan asks for: by pool, what its servers stand among, and a server a node."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from controller.cluster.names import MANAGED_BY, MANAGER, POOL, SYSTEM, namespace_of
from controller.cluster.servers.backends import around_routes, backend, grant
from controller.cluster.servers.catalogue import unknown_device
from controller.cluster.servers.server import (
    ACCOUNT,
    GRPC,
    HTTP,
    METRICS,
    PORTS,
    PRIORITY,
    SERVICE,
    Manifest,
    pool_labels,
    server,
)
from controller.cluster.servers.settings import ServerSettings
from policy.findings import Finding
from policy.resolved import Pool

GATEWAY: Final = "gridwright.dev/gateway"
"""A label of namespaces: their pods send requests to servers."""
TRACES: Final = 4318
_NAMESPACE: Final = "kubernetes.io/metadata.name"
_PRIORITY: Final = 1000


@dataclass(frozen=True, slots=True)
class Workloads:
    """What is to stand in the cluster, each object after those that it needs, and why some of it cannot be said."""

    manifests: tuple[Manifest, ...]
    findings: tuple[Finding, ...] = ()


def workloads(
    pools: Sequence[Pool], used: Mapping[str, AbstractSet[str]], settings: ServerSettings, *, routed: bool = False
) -> Workloads:
    """All objects of a plan. `used` has by pool the nodes that it uses; `routed` is for routes of the Gateway API.

    Nothing belongs to the pool's custom resource: who deletes that would end servers before requests have left them.
    """
    unknown = [pool for pool in pools if used.get(pool.name) and pool.device not in settings.devices]
    known = [pool for pool in pools if pool not in unknown]
    found = [
        each
        for pool in known
        for each in (*surroundings(pool, settings), *(server(pool, node, settings) for node in _nodes(pool, used)))
    ]
    led_to = [each for pool in known for each in (grant(pool), *(backend(pool, node) for node in _nodes(pool, used)))]
    routing = (*around_routes(), *led_to) if routed else ()
    return Workloads((priority(), *found, *routing), tuple(unknown_device(pool) for pool in unknown))


def priority() -> Manifest:
    """The class of servers: above what has none, and no reason to evict anybody."""
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": PRIORITY, "labels": {MANAGED_BY: MANAGER}},
        "value": _PRIORITY,
        "preemptionPolicy": "Never",
        "description": "Triton servers that Gridwright has planned",
    }


def surroundings(pool: Pool, settings: ServerSettings) -> Iterator[Manifest]:
    """What the servers of a pool stand among. A pool that is not used keeps it all."""
    restricted = {f"pod-security.kubernetes.io/{how}": "restricted" for how in ("enforce", "audit", "warn")}
    labels = pool_labels(pool.name)
    yield {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace_of(pool.name), "labels": {**labels, **restricted}},
    }
    account = _object("v1", "ServiceAccount", ACCOUNT, pool)
    yield {**account, "automountServiceAccountToken": False}
    yield {
        **_object("v1", "Service", SERVICE, pool),
        "spec": {
            "clusterIP": "None",
            # Servers are addressed one by one, also one that is not ready yet.
            "publishNotReadyAddresses": True,
            "selector": {POOL: pool.name},
            "ports": [{"name": name, "port": port, "targetPort": name} for name, port in PORTS.items()],
        },
    }
    yield {
        **_object("policy/v1", "PodDisruptionBudget", SERVICE, pool),
        "spec": {
            "maxUnavailable": settings.unavailable,
            "selector": {"matchLabels": {POOL: pool.name}},
            # One that does not serve is no loss, and may be in the way of mending its node.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
    yield {**_object("networking.k8s.io/v1", "NetworkPolicy", SERVICE, pool), "spec": _network(settings)}


def _network(settings: ServerSettings) -> Manifest:
    """Who may call servers, and whom they call: names, traces, and the repository where it is an address."""
    system = {"namespaceSelector": {"matchLabels": {_NAMESPACE: SYSTEM}}}
    gateways = {"namespaceSelector": {"matchLabels": {GATEWAY: "true"}}}
    names = {"ports": [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]}
    traces = [{"to": [system], "ports": _tcp(TRACES)}] if settings.traces else []
    models = [{"ports": _tcp(443)}] if settings.repository.url else []
    return {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {"from": [system], "ports": _tcp(HTTP, GRPC, METRICS)},
            {"from": [gateways], "ports": _tcp(HTTP, GRPC)},
        ],
        "egress": [names, *traces, *models],
    }


def _tcp(*ports: int) -> list[Manifest]:
    return [{"port": port, "protocol": "TCP"} for port in ports]


def _object(version: str, kind: str, name: str, pool: Pool) -> Manifest:
    metadata = {"name": name, "namespace": namespace_of(pool.name), "labels": pool_labels(pool.name)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _nodes(pool: Pool, used: Mapping[str, AbstractSet[str]]) -> list[str]:
    return sorted(used.get(pool.name, ()))
