"""A policy whose pools have the nodes of a cluster: documents tell how many to expect, the cluster which there are."""

from dataclasses import replace

from collectors.snapshot import InventoryNode, Snapshot
from policy.resolved import Policy, Pool


def inventoried(policy: Policy, snapshot: Snapshot) -> Policy:
    """The policy with the nodes that a cluster has of each pool, under their own names.

    A pool of which no cluster tells stays as its document has it; one whose cluster was never listed has no nodes yet.
    """
    known = {item.pool: item.reading.value or () for item in snapshot.inventory}
    if not known:
        return policy
    pools = (_with(pool, known[pool.name]) if pool.name in known else pool for pool in policy.pools)
    return replace(policy, pools=tuple(pools))


def _with(pool: Pool, nodes: tuple[InventoryNode, ...]) -> Pool:
    return replace(pool, nodes=len(nodes), names=tuple(node.name for node in nodes), racks=_racks(pool, nodes))


def _racks(pool: Pool, nodes: tuple[InventoryNode, ...]) -> tuple[str, ...]:
    """Racks as the nodes' labels tell them, else as the pool's document does, else zones."""
    if any(node.rack for node in nodes):
        return tuple(node.rack for node in nodes)
    if pool.racks or not any(node.zone for node in nodes):
        return pool.racks
    return tuple(node.zone for node in nodes)


def closed_nodes(snapshot: Snapshot) -> frozenset[str]:
    """The nodes on which nothing may be placed now."""
    return frozenset(node.name for item in snapshot.inventory for node in item.reading.value or () if node.against)
