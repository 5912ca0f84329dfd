"""Nodes of a cluster that are as good as not there: nothing stands on them, and nothing may be placed on them now."""

from dataclasses import replace

from collectors.snapshot import InventoryNode, Presence, Snapshot


def without_idle(snapshot: Snapshot) -> Snapshot:
    """The snapshot without the closed and unready nodes that have no server.

    No rule has to judge them, so that one that joins keeps no pool away before it is attested, say. One with a server
    stays, for that may answer; so do all of a pool that has one server for all of its nodes.
    """
    with_server = nodes_with_server(snapshot)

    def is_idle(pool: str, node: InventoryNode) -> bool:
        return (pool, node.name) not in with_server and (bool(node.against) or not node.is_ready)

    inventory = (
        replace(
            item, reading=replace(item.reading, value=tuple(node for node in nodes if not is_idle(item.pool, node)))
        )
        if (nodes := item.reading.value)
        else item
        for item in snapshot.inventory
    )
    return replace(snapshot, inventory=tuple(inventory))


def nodes_with_server(snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    """The nodes of a cluster, by pool and name, that have a server of their own or one for all nodes of their pool."""
    told = {(server.pool, server.node) for server in snapshot.servers}
    return frozenset(
        (item.pool, node.name)
        for item in snapshot.inventory
        for node in item.reading.value or ()
        if node.server is not Presence.NONE or (item.pool, node.name) in told or (item.pool, "") in told
    )
