"""A server on each node: what it holds is where it runs, and a node whose server is away is left alone."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from functools import cache

from nodes_world import NodesWorld, model_of
from world import FRANKFURT, OCR, PARIS, POLICY, World, pools_of

from collectors.snapshot import Batches, BatchTime, Reading, Server, ServerState
from controller.actions import SetLoad, SetRoutes, Transition, Unload
from controller.decision import Decision, Verdict
from controller.performance.windows import windows
from controller.planning.build import build
from controller.planning.running import located, observed, running_plan, usable_nodes
from rules.kernel.problem import Placement

NARROW = replace(
    POLICY,
    revision="narrow nodes",
    pools=tuple(replace(pool, memory_mib=900) if pool.name == FRANKFURT else pool for pool in POLICY.pools),
)
"""No node of Frankfurt holds all models of a service."""


@cache
def at_rest() -> NodesWorld:
    world = NodesWorld(policy=NARROW)
    world.rest()
    assert len(used(world)) > 1
    return world


def narrow() -> NodesWorld:
    """At rest, with several nodes of Frankfurt in use."""
    return deepcopy(at_rest())


def used(world: NodesWorld) -> set[str]:
    """The nodes of Frankfurt that hold something."""
    return {node for (pool, node), models in world.nodes.items() if pool == FRANKFURT and models}


def asked(way: Transition) -> set[str]:
    """The nodes that anything is done on."""
    actions = [action for wave in way.waves for action in wave.actions]
    loads = {action.load.node for action in actions if isinstance(action, SetLoad)}
    return loads | {action.node for action in actions if isinstance(action, Unload)}


def reached(decision: Decision) -> set[str]:
    """The nodes that requests go to."""
    return {node for item in decision.fleet.routes for parts in item.parts for node, _ in parts.nodes}


def test_the_plan_is_the_one_for_servers_of_whole_pools() -> None:
    by_node, by_pool = NodesWorld(policy=NARROW).turn(), World(policy=NARROW).turn()
    assert by_node.plan == by_pool.plan
    assert by_node.fleet.instances() == by_pool.fleet.instances()
    assert {(load.placement.pool, load.node) for load in by_node.fleet.loads} == {
        (load.placement.pool, item.node)
        for load in by_pool.fleet.loads
        for item in by_pool.plan.instances
        if f"@{load.placement.pool} " in item.option
    }
    assert {load.node for load in by_pool.fleet.loads} == {""}
    assert [item.parts for item in by_pool.fleet.routes] == [()] * len(by_pool.fleet.routes)


def test_what_servers_hold_is_where_it_runs_whatever_the_last_plan_says() -> None:
    world = narrow()
    here, there = sorted(used(world))[:2]
    world.nodes[FRANKFURT, here], world.nodes[FRANKFURT, there] = world.nodes[FRANKFURT, there], ()
    seen = world.snapshot()
    nodes = usable_nodes(world.policy, seen, world.now)
    running = located(observed(world.policy, seen, world.now), world.state, nodes)
    assert {item.node for item in running if item.placement.pool == FRANKFURT} == used(world)


def test_requests_leave_a_node_that_is_lost_and_the_others_go_on() -> None:
    world = narrow()
    lost = min(used(world))
    world.nodes[FRANKFURT, lost] = None
    decision = world.turn()
    first = decision.transition.waves[0]
    assert first.name == "withdraw"
    (routes,) = first.actions
    assert isinstance(routes, SetRoutes)
    assert lost not in {node for item in routes.routes for parts in item.parts for node, _ in parts.nodes}
    assert lost not in reached(decision) | asked(decision.transition)
    assert lost not in {item.node for item in decision.plan.instances}
    settled = world.rest()
    assert FRANKFURT in pools_of(settled, OCR)
    assert reached(settled) >= used(world)


def test_nodes_that_are_back_are_used_again() -> None:
    world = narrow()
    before, every = used(world), [key for key in world.nodes if key[0] == FRANKFURT]
    for key in every:
        world.nodes[key] = None
    assert FRANKFURT not in pools_of(world.turn(), OCR)
    for key in every:
        world.nodes[key] = ()
    assert FRANKFURT in pools_of(world.rest(), OCR)
    assert len(used(world)) == len(before)


def test_a_node_that_nothing_is_known_of_is_not_an_empty_one() -> None:
    world = narrow()
    lost = min(used(world))
    held = world.nodes[FRANKFURT, lost]
    world.nodes[FRANKFURT, lost] = None
    assert lost not in {node.name for node in usable_nodes(world.policy, world.snapshot(), world.now)}
    stale = world.snapshot()
    old = Reading(ServerState(held or ()), world.now - timedelta(hours=1), "test")
    servers = tuple(replace(each, reading=old) if each.node == lost else each for each in stale.servers)
    assert lost not in {node.name for node in usable_nodes(world.policy, replace(stale, servers=servers), world.now)}


def test_a_server_of_a_node_that_the_policy_does_not_have_is_left_alone() -> None:
    world = narrow()
    world.nodes[FRANKFURT, "elsewhere"] = tuple(model_of(load) for load in world.state.fleet.loads)
    decision = world.turn()
    assert decision.verdict is Verdict.KEEP
    assert "elsewhere" not in {node.name for node in usable_nodes(world.policy, world.snapshot(), world.now)}
    (told,) = (finding for finding in decision.findings if finding.id == "GW2100")
    assert "node elsewhere" in told.message


def test_a_node_without_a_server_is_told_and_not_used() -> None:
    world = narrow()
    spare = next(node for pool, node in world.nodes if pool == FRANKFURT and node not in used(world))
    del world.nodes[FRANKFURT, spare]
    decision = world.turn()
    assert [finding.subject for finding in decision.findings if finding.id == "GW2101"] == [
        f"pool {FRANKFURT}, node {spare}"
    ]
    assert spare not in {node.name for node in usable_nodes(world.policy, world.snapshot(), world.now)}


def test_a_node_that_is_set_otherwise_than_the_others_is_not_left_so() -> None:
    world = narrow()
    node = min(used(world))
    other = next(name for pool, name in world.nodes if pool == FRANKFURT and name not in used(world))
    usual, *rest = world.nodes[FRANKFURT, node] or ()
    world.nodes[FRANKFURT, node] = (replace(usual, instances=2), *rest)
    world.nodes[FRANKFURT, other] = (replace(usual, max_batch=usual.max_batch + 3),)
    built = build(world.policy, world.snapshot(), world.state, world.now)
    placement = Placement(usual.model, usual.variant, FRANKFURT)
    (option,) = (
        built.whole.option(name)
        for name in running_plan(built.whole, built.loaded, world.state).used_options()
        if built.whole.option(name).placement == placement
    )
    assert option.max_batch == usual.max_batch
    assert other in asked(world.turn().transition)
    world.rest()
    assert {m.max_batch for models in world.nodes.values() for m in models or () if m.model == usual.model} == {
        usual.max_batch
    }


def test_a_model_that_nobody_asked_for_is_unloaded_where_it_stands() -> None:
    world = narrow()
    node = max(used(world))
    stray = replace((world.nodes[FRANKFURT, node] or ())[0], model="stray")
    world.nodes[FRANKFURT, node] = (*(world.nodes[FRANKFURT, node] or ()), stray)
    decision = world.turn()
    assert decision.transition.waves[-1].actions == (Unload(Placement("stray", stray.variant, FRANKFURT), node),)


def test_a_fleet_whose_pools_had_one_server_goes_on_with_a_server_on_each_node() -> None:
    """What was decided for whole pools, and is remembered, says where instances stood; servers say what stands now."""
    before = World(policy=NARROW)
    before.rest()
    world = NodesWorld(policy=NARROW, state=before.state, now=before.now)
    decision = world.rest()
    assert decision.fleet.instances() == before.state.fleet.instances()
    assert used(world) <= {load.node for load in decision.fleet.loads}


def test_what_is_busy_beside_a_variant_is_what_is_busy_on_its_node() -> None:
    world = narrow()
    here, there = sorted(used(world))[:2]
    took = Reading((BatchTime(1, 100, 1_000_000),), world.now, "test")
    batches = tuple(
        Batches(FRANKFURT, model.model, model.variant, took, 10.0, node)
        for node in (here, there)
        for model in world.nodes[FRANKFURT, node] or ()
    )
    seen = replace(world.snapshot(), batches=batches)
    found = windows(world.policy, seen, observed(world.policy, seen, world.now), (), world.now)
    assert {window.node for window in found} == {here, there}
    assert len(found) == len(batches)


def test_one_server_for_a_pool_stands_beside_servers_of_nodes() -> None:
    world = narrow()
    seen = world.snapshot()
    whole = Server(PARIS, Reading(ServerState(()), world.now, "test"))
    mixed = replace(seen, servers=(whole, *(each for each in seen.servers if each.pool != PARIS)))
    nodes = usable_nodes(world.policy, mixed, world.now)
    assert {(node.pool, node.own_server) for node in nodes if node.pool in {PARIS, FRANKFURT}} == {
        (PARIS, False),
        (FRANKFURT, True),
    }
