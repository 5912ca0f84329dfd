"""Which nodes of a cluster count as not there: those that can neither answer nor be given anything."""

from datetime import UTC, datetime

from collectors.snapshot import Inventory, InventoryNode, Presence, Reading, Server, Snapshot
from controller.planning.idle import without_idle

AT = datetime(2026, 5, 4, tzinfo=UTC)
CLOSED = ("cordoned",)
NODES = (
    InventoryNode("open"),
    InventoryNode("closed", against=CLOSED),
    InventoryNode("unready", is_ready=False),
    InventoryNode("starting", against=CLOSED, server=Presence.STARTING),
    InventoryNode("told", is_ready=False),
)


def left(*servers: str) -> set[str]:
    """The nodes that are left where servers of these nodes are told of; an empty name is that of the whole pool."""
    told = tuple(Server("gpu", Reading(None, None, "test"), node) for node in servers)
    inventory = (Inventory("gpu", Reading(NODES, AT, "test")), Inventory("never-listed", Reading(None, None, "test")))
    seen, unlisted = without_idle(Snapshot(AT, servers=told, inventory=inventory)).inventory
    assert unlisted == inventory[1]
    return {node.name for node in seen.reading.value or ()}


def test_closed_and_unready_nodes_without_a_server_are_left_out() -> None:
    assert left("told") == {"open", "starting", "told"}
    assert left() == {"open", "starting"}


def test_where_one_server_stands_for_the_whole_pool_every_node_stays() -> None:
    assert left("") == {node.name for node in NODES}
