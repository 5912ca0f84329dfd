"""Plans on the nodes that a cluster has: by their own names, and on none that it closes."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from world import BUSY, FRANKFURT, LYON, OCR, PARIS, POLICY, START, World, line, pools_of

from collectors.evidence.records import Attestation, Evidence
from collectors.snapshot import Inventory, InventoryNode, Reading, Server, Snapshot
from controller.actions import SetLoad
from controller.decision import Decision
from controller.planning.decide import decide
from controller.planning.inventoried import inventoried
from controller.planning.recheck import recheck
from controller.planning.running import usable_nodes
from policy.clauses import AttestationClause

HERE = {PARIS: ("gpu-p",), LYON: ("gpu-l",), FRANKFURT: ("gpu-f1", "gpu-f2", "gpu-f3", "gpu-f4")}


@dataclass
class Clustered(World):
    """The fleet in a cluster whose nodes have names of their own; some of them are closed."""

    nodes: dict[str, tuple[str, ...] | None] = field(default_factory=lambda: dict(HERE))
    closed: frozenset[str] = frozenset()

    def snapshot(self) -> Snapshot:
        inventory = tuple(
            Inventory(pool, Reading(None if names is None else tuple(map(self._node, names)), self.now, "test"))
            for pool, names in self.nodes.items()
        )
        return replace(super().snapshot(), inventory=inventory)

    def _node(self, name: str) -> InventoryNode:
        return InventoryNode(name, against=("cordoned",) if name in self.closed else ())


def used(decision: Decision) -> set[str]:
    return {item.node for item in decision.plan.instances}


def test_plans_name_nodes_as_the_cluster_does() -> None:
    named = used(Clustered().rest())
    assert len(named) > 1
    assert named <= {name for names in HERE.values() for name in names}


def test_what_stands_on_a_node_that_is_closed_moves_to_another() -> None:
    world = Clustered()
    before = used(world.rest())
    (leaves,) = {name for name in before if name.startswith("gpu-f")}
    world.closed = frozenset({leaves})
    after = used(world.rest())
    assert leaves not in after
    assert any(name.startswith("gpu-f") for name in after)


def test_a_pool_that_was_never_listed_has_no_nodes_to_plan_with() -> None:
    world = Clustered()
    world.nodes[PARIS] = None
    named = used(world.rest())
    assert named
    assert named <= {*HERE[LYON], *HERE[FRANKFURT]}


def test_a_node_without_a_server_gets_one_and_one_whose_server_is_silent_is_left_alone() -> None:
    world = Clustered()
    world.servers = {}
    decision = world.refused_turn()
    loads = {
        action.load.node for wave in decision.transition.waves for action in wave.actions if isinstance(action, SetLoad)
    }
    assert loads == used(decision) != set()
    silent = tuple(Server(pool, Reading(None, None, "test"), names[0]) for pool, names in HERE.items())
    snapshot = replace(world.snapshot(), servers=silent)
    usable = usable_nodes(inventoried(POLICY, snapshot), snapshot, world.now)
    assert {node.name for node in usable} == {"gpu-f2", "gpu-f3", "gpu-f4"}
    assert all(node.own_server for node in usable)


def test_a_pool_of_which_no_cluster_tells_stays_as_its_document_has_it() -> None:
    world = Clustered()
    world.nodes = {FRANKFURT: HERE[FRANKFURT]}
    named = used(world.rest())
    assert named & {f"{PARIS}-0", f"{LYON}-0"}
    assert named <= {f"{PARIS}-0", f"{LYON}-0", *HERE[FRANKFURT]}


def racks_of(*nodes: InventoryNode, declared: tuple[str, ...] = ()) -> list[str]:
    """The racks of the nodes of a pool, in their order."""
    policy = replace(POLICY, pools=(replace(POLICY.pools[0], racks=declared),))
    snapshot = Snapshot(World().now, inventory=(Inventory(PARIS, Reading(nodes, World().now, "test")),))
    (pool,) = inventoried(policy, snapshot).pools
    return [pool.rack(index) for index, _ in enumerate(pool.node_names())]


def test_racks_are_those_of_labels_then_of_the_document_then_zones() -> None:
    labelled, bare = InventoryNode("a", "r1", "z1"), InventoryNode("b", "", "z2")
    assert racks_of(labelled, bare, declared=("r8", "r9")) == ["r1", ""]
    assert racks_of(bare, replace(bare, name="c"), declared=("r8", "r9")) == ["r8", "r9"]
    assert racks_of(bare, replace(bare, name="c", zone="z3")) == ["z2", "z3"]
    assert racks_of(InventoryNode("d")) == [""]


def attesting(*nodes: str) -> tuple[Clustered, Snapshot]:
    """A world where handling card data asks for attestation, and what is seen once these nodes have a result each."""
    world = Clustered(rates=dict(BUSY))
    first, *others = world.policy.compliance
    asking = replace(first, attestation=AttestationClause(("tdx",), (), (), (), 0, line(70)))
    world.policy = replace(world.policy, compliance=(asking, *others))
    said, until = Attestation("trustee", ("tdx",), (), (), START), START + timedelta(days=1)
    results = (
        Evidence(node, "node", node, "attestation", (1,), "t", START, until, line(1), "00", said) for node in nodes
    )
    seen = world.snapshot()
    return world, replace(seen, evidence=(*seen.evidence, *results))


def attested(*nodes: str) -> set[str]:
    """The pools that handle card data once these nodes have a result each."""
    world, seen = attesting(*nodes)
    return pools_of(decide(world.policy, seen, world.state, world.now), OCR)


def test_a_plan_on_a_pool_that_loses_its_last_node_meanwhile_is_not_carried_out() -> None:
    world, seen = attesting(*(f"{FRANKFURT}/{name}" for name in HERE[FRANKFURT]))
    decision = decide(world.policy, seen, world.state, world.now)
    assert recheck(world.policy, seen, decision, world.now) == ()
    inventory = (
        replace(item, reading=replace(item.reading, value=())) if item.pool == FRANKFURT else item
        for item in seen.inventory
    )
    against = recheck(world.policy, replace(seen, inventory=tuple(inventory)), decision, world.now)
    assert {finding.id for finding in against} == {"GW1018", "GW2021"}


def test_a_pool_serves_once_each_node_that_the_cluster_has_of_it_is_attested_by_its_own_name() -> None:
    every = [f"{FRANKFURT}/{name}" for name in HERE[FRANKFURT]]
    assert attested(*every) == {FRANKFURT}
    assert attested(*every[1:]) == set()


def test_what_is_said_of_a_node_of_another_pool_attests_no_node_of_the_same_name() -> None:
    for pool in (f"{PARIS}/", "gpu/", ""):
        assert attested(*(f"{pool}{name}" for name in HERE[FRANKFURT])) == set()
    assert attested(*(f"{FRANKFURT}/{FRANKFURT}-{index}" for index in range(len(HERE[FRANKFURT])))) == set()
