"""Which nodes of each pool may have servers now, and why others may not. Pure: what was seen in, what is told out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from collectors.snapshot import InventoryNode, Presence
from controller.cluster.api_server.store import Name
from controller.cluster.inventory.seen import NodeSeen, PodSeen, QuotaSeen, Taint
from controller.cluster.names import POOL, namespace_of
from controller.cluster.servers.pod_state import is_before
from policy.resolved import Pool, Purchase

TOLD_OTHERWISE: Final = tuple(f"node.kubernetes.io/{state}" for state in ("not-ready", "unreachable", "unschedulable"))
"""Taints that follow from what a node says of itself."""
LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a cluster, by name.

    `devices` has the resource of each device that pools have, none for a CPU; of others nothing is asked. Servers that
    have not been ready since `late` close their nodes.
    """

    nodes: Mapping[Name, NodeSeen]
    pods: Mapping[Name, PodSeen]
    quotas: Mapping[Name, QuotaSeen]
    devices: Mapping[str, str | None] = field(default_factory=dict)
    late: datetime = LONG_AGO


@dataclass(frozen=True, slots=True)
class _Occupied:
    """By node, how many of each resource others have there; and by the nodes on which we have a pod, that pod."""

    others: Mapping[tuple[str, str], int]
    ours: Mapping[str, PodSeen]


def usable(pools: Sequence[Pool], seen: Seen) -> dict[str, tuple[InventoryNode, ...]]:
    """The nodes of each pool, by name, each with what is against it."""
    occupied = _occupied(seen.pods)
    by_pool: dict[str, list[tuple[str, NodeSeen]]] = {pool.name: [] for pool in pools}
    for name, node in seen.nodes.items():
        if node.pool in by_pool:
            by_pool[node.pool].append((name.name, node))
    return {
        pool.name: _within_quota(pool, _of(pool, by_pool[pool.name], occupied, seen), occupied, seen) for pool in pools
    }


def strangers(pools: Sequence[Pool], nodes: Mapping[Name, NodeSeen]) -> dict[str, int]:
    """How many nodes name a pool that there is not, by that name."""
    known = {pool.name for pool in pools}
    return dict(sorted(Counter(node.pool for node in nodes.values() if node.pool not in known).items()))


def _of(pool: Pool, nodes: Sequence[tuple[str, NodeSeen]], occupied: _Occupied, seen: Seen) -> list[InventoryNode]:
    resource = seen.devices.get(pool.device)
    return [
        InventoryNode(
            name,
            node.rack,
            node.zone,
            (*_against(pool, name, node, resource, occupied), *_late(occupied.ours.get(name), seen.late)),
            node.is_ready,
            _presence(occupied.ours.get(name), node),
            node.made,
        )
        for name, node in sorted(nodes)
    ]


def _late(server: PodSeen | None, late: datetime) -> tuple[str, ...]:
    return ("its server is not ready in time",) if server and not server.is_ready and server.since <= late else ()


def _presence(server: PodSeen | None, node: NodeSeen) -> Presence:
    """Nothing is there of a pod that no node has yet, nor of one that came to the machine that the node was before."""
    if server is None or not server.is_bound or is_before(server.bound, node.made):
        return Presence.NONE
    return Presence.READY if server.is_ready else Presence.STARTING


def _against(pool: Pool, name: str, node: NodeSeen, resource: str | None, occupied: _Occupied) -> Iterator[str]:
    """What keeps a server of the pool away from the node."""
    if node.is_cordoned:
        yield "cordoned"
    yield from (f"taint {taint}" for taint in node.taints if not _is_tolerated(taint, pool, resource))
    if node.spot and pool.purchase is not Purchase.SPOT:
        yield f"preemptible by {node.spot} in a pool that is not"
    if resource:
        yield from _without_device(node, resource, occupied.others.get((name, resource), 0))


def _without_device(node: NodeSeen, resource: str, taken: int) -> Iterator[str]:
    have = dict(node.devices).get(resource, 0)
    if not have:
        yield f"no {resource}"
    elif taken and node.is_shared:
        yield f"{resource} shared with others"
    elif taken >= have:
        yield f"{resource} taken by others"


def _is_tolerated(taint: Taint, pool: Pool, resource: str | None) -> bool:
    """Whether servers of the pool tolerate it (`server.py`), or something else tells of it."""
    return taint.key in TOLD_OTHERWISE or taint.key == resource or (taint.key, taint.value) == (POOL, pool.name)


def _within_quota(
    pool: Pool, nodes: Sequence[InventoryNode], occupied: _Occupied, seen: Seen
) -> tuple[InventoryNode, ...]:
    """Nodes beyond what the pool's namespace may have are closed: those with a server are the last to be."""
    names = {"pods", "count/pods"} | {f"requests.{each}" for each in (seen.devices.get(pool.device),) if each}
    has = sum(node.name in occupied.ours for node in nodes)
    rooms = [
        (hard - used + has, f"{quota.name} {resource}")
        for quota, limits in sorted(seen.quotas.items())
        if quota.namespace == namespace_of(pool.name)
        for resource, hard, used in limits.limits
        if resource in names
    ]
    if not rooms:
        return tuple(nodes)
    room, why = min(rooms)
    open_nodes = [node.name for node in nodes if not node.against]
    kept = set(sorted(open_nodes, key=lambda name: (name not in occupied.ours, name))[: max(0, room)])
    beyond = (f"no room in the quota {why}",)
    return tuple(node if node.against or node.name in kept else replace(node, against=beyond) for node in nodes)


def _occupied(pods: Mapping[Name, PodSeen]) -> _Occupied:
    others: Counter[tuple[str, str]] = Counter()
    for pod in pods.values():
        if not pod.is_ours:
            others.update({(pod.node, resource): much for resource, much in pod.devices})
    return _Occupied(others, {pod.node: pod for pod in pods.values() if pod.is_ours})
