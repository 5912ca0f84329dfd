"""Which nodes of a cluster count as not there: those that can neither answer nor be given anything."""

from dataclasses import replace
from datetime import UTC, datetime

from nodes_world import NodesWorld
from world import FRANKFURT, POLICY

from collectors.snapshot import Inventory, InventoryNode, Presence, Reading, Server, Snapshot
from controller.planning.build import build
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


class Joined(NodesWorld):
    """Pools with a server on each node, and a node that joined Frankfurt: not attested, not ready, without a server."""

    def snapshot(self) -> Snapshot:
        seen = super().snapshot()
        names = {pool: [node for each, node in self.nodes if each == pool] for pool, _ in self.nodes}
        inventory = tuple(
            Inventory(
                pool, Reading(tuple(InventoryNode(name, server=Presence.READY) for name in here), self.now, "test")
            )
            for pool, here in names.items()
        )
        joined = Inventory(FRANKFURT, Reading((InventoryNode("gpu-new", is_ready=False),), self.now, "test"))
        return replace(seen, inventory=tuple(_with(each, joined) for each in inventory))


def _with(item: Inventory, more: Inventory) -> Inventory:
    """The nodes of both, where they are of one pool."""
    if item.pool != more.pool:
        return item
    nodes = (*(item.reading.value or ()), *(more.reading.value or ()))
    return replace(item, reading=replace(item.reading, value=nodes))


def test_a_node_that_joins_is_no_node_of_its_pool_until_it_may_be_used() -> None:
    world = Joined(policy=POLICY)
    built = build(world.policy, world.snapshot(), world.state, world.now)
    names = built.whole.policy.pool(FRANKFURT).node_names()
    assert "gpu-new" not in names
    assert set(names) == {node for pool, node in world.nodes if pool == FRANKFURT}
