"""A policy whose pools have the nodes of a cluster: documents tell how many to expect, the cluster which there are."""

from dataclasses import replace

from collectors.snapshot import InventoryNode, Snapshot
from policy.resolved import Policy, Pool


def inventoried(policy: Policy, snapshot: Snapshot) -> Policy:
    """The policy with the nodes that a cluster has of each pool, under their own names; without one, as it is.

    A pool that the cluster was not asked about, or was never listed for, has none that are known.
    """
    if not snapshot.inventory:
        return policy
    known = {item.pool: item.reading.value or () for item in snapshot.inventory}
    return replace(policy, pools=tuple(_with(pool, known.get(pool.name, ())) for pool in policy.pools))


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
