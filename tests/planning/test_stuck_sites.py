"""Sites that bring nothing about: nothing is asked of them, what they need stays, and all else goes on around them."""

from dataclasses import replace

import pytest

from controller.actions import Action, SetLoad, SetRoutes, Transition, Unload
from controller.decision import Decision, Proof, Verdict
from controller.fleet import Fleet as Seen
from controller.fleet import Load, RouteSet, fleet_of
from controller.planning.choose import Choice
from controller.planning.recheck import recheck
from controller.planning.stuck import beside_stuck
from policy.clauses import Scope
from policy.resolved import ReplicaBound
from rules.kernel.plan import Plan
from rules.kernel.problem import Floor, Placement, Problem
from tests.planning.world import CALM, FRANKFURT, LYON, OCR, PARIS, World, pools_of
from tests.rules.build import Fleet, asks, plan, stage
from tests.rules.build import at as at_line


def settled() -> World:
    world = World()
    world.rest()
    return world


def at(site: str, fleet: Seen) -> tuple[tuple[Load, ...], tuple[RouteSet, ...]]:
    """What a site has; each has one pool, of its own name."""
    loads = tuple(load for load in fleet.loads if load.placement.pool == site)
    return loads, tuple(item for item in fleet.routes if item.origin == site)


def touches(action: Action, site: str) -> bool:
    match action:
        case SetLoad(load):
            return load.placement.pool == site
        case Unload(placement):
            return placement.pool == site
        case SetRoutes(routes):
            return any(item.origin == site for item in routes)


def actions(decision: Decision) -> list[Action]:
    return [action for wave in decision.transition.waves for action in wave.actions]


@pytest.mark.parametrize("site", [PARIS, LYON, FRANKFURT])
def test_a_site_that_is_stuck_stays_as_it_is_whatever_comes(site: str) -> None:
    world = settled()
    before = at(site, world.state.fleet)
    world.stuck = (site,)
    for times in (4.0, 0.25):
        world.rates = {key: int(rate * times) for key, rate in CALM.items()}
        for _ in range(2):
            decision = world.turn()
            assert not [action for action in actions(decision) if touches(action, site)]
            assert at(site, decision.fleet) == before


def test_others_change_while_one_is_stuck() -> None:
    world = settled()
    world.stuck = (PARIS,)
    world.rates = {key: rate * (4 if key[1] == LYON else 1) for key, rate in CALM.items()}
    before, decision = world.state.fleet, world.turn()
    assert decision.verdict is Verdict.CHANGE
    assert any(touches(action, LYON) for action in actions(decision))
    assert at(LYON, decision.fleet) != at(LYON, before)
    assert not [item for item in decision.plan.unserved if item.demand.endswith(LYON)]


def test_what_its_requests_go_over_elsewhere_is_not_taken_away() -> None:
    world = settled()
    ways = [way for item in world.state.fleet.routes if item.origin == LYON for way in item.ways]
    needed = {placement for way in ways for placement in way.placements if placement.pool != LYON}
    assert needed, "cardholder data is not processed in Lyon"
    before = {load.seat: load.instances for load in world.state.fleet.loads if load.placement in needed}
    world.stuck = (LYON,)
    world.rates = dict.fromkeys(CALM, 1)
    for _ in range(3):
        left = {load.seat: load.instances for load in world.turn().fleet.loads}
        assert all(left.get(seat, 0) >= count for seat, count in before.items())


def test_others_requests_leave_what_is_not_allowed_any_more() -> None:
    world = settled()
    world.stuck = (LYON,)
    assert pools_of(world.turn(), OCR) == {FRANKFURT}
    world.certification_ends(FRANKFURT, seconds=15)
    decision = world.turn()
    (ways,) = (item.ways for item in decision.fleet.routes if (item.service, item.origin) == (OCR, PARIS))
    assert {placement.pool for way in ways for placement in way.placements} == {PARIS}
    assert not [action for action in actions(decision) if touches(action, LYON)]


def test_what_it_goes_over_elsewhere_stands_until_its_evidence_has_ended_and_no_longer() -> None:
    world = settled()
    world.stuck = (LYON,)
    world.certification_ends(FRANKFURT, seconds=45)
    before = {load.seat for load in world.state.fleet.loads if load.placement.pool == FRANKFURT}
    decision = world.turn(30)
    assert before, "what Lyon's requests go over"
    assert before <= {load.seat for load in decision.fleet.loads}, "Lyon withdraws in 15 s"
    (ways,) = (item.ways for item in decision.fleet.routes if (item.service, item.origin) == (OCR, PARIS))
    assert {placement.pool for way in ways for placement in way.placements} == {PARIS}, "Paris has left before"
    assert recheck(world.policy, world.snapshot(), decision, world.now) == ()
    assert decision.valid_until == world.certified[FRANKFURT]
    assert FRANKFURT not in {load.placement.pool for load in world.turn(30).fleet.loads}


def test_a_site_that_is_stuck_no_longer_is_changed_again() -> None:
    world = settled()
    world.stuck = (LYON,)
    world.rates = {key: rate * (4 if key[1] == LYON else 1) for key, rate in CALM.items()}
    before = at(LYON, world.state.fleet)
    assert at(LYON, world.turn().fleet) == before
    world.stuck = ()
    assert at(LYON, world.turn().fleet) != before


def shared(*, far_too: bool) -> tuple[Problem, Plan, Plan]:
    """A model near in Paris, where an instance answers one origin, and far in Lyon; a plan that has both come near.

    With `far_too`, the plan has another model grow far, which nothing joins with it.
    """
    fleet = Fleet().site("paris", "FR").site("lyon", "FR").link("lyon", "paris")
    fleet = fleet.pool("near", "paris", memory_mib=9).pool("far", "lyon", memory_mib=9)
    fleet = fleet.service("a-service", stage("only", "a")).service("b-service", stage("only", "b"))
    fleet = fleet.demand("a-service", "paris", 1000).demand("a-service", "lyon", 1000).demand("b-service", "lyon", 2000)
    for model, pool in (("a", "near"), ("a", "far"), ("b", "far")):
        fleet = fleet.option(f"{model}@{pool}", model, pool, capacity_milli_rps=1000, load_us=1)
    fleet = fleet.path("paris near", "a-service@paris", "a@near").path("lyon near", "a-service@lyon", "a@near")
    fleet = fleet.path("lyon far", "a-service@lyon", "a@far").path("b far", "b-service@lyon", "b@far")
    fleet = fleet.path("paris far", "a-service@paris", "a@far").scaling(
        bounds=(ReplicaBound("a", "", 0, 2, at_line(1)),)
    )
    running = plan(
        {("a@near", "near-0"): 1, ("a@far", "far-0"): 1, ("b@far", "far-0"): 2 - far_too},
        {"paris near": 1000, "lyon far": 1000, "b far": 1000},
    )
    goal = plan(
        {("a@near", "near-0"): 2, ("b@far", "far-0"): 2}, {"paris near": 1000, "lyon near": 1000, "b far": 1000}
    )
    return fleet.problem, running, goal


@pytest.mark.parametrize("far_too", [False, True])
def test_what_the_site_cannot_take_is_left_where_it_is_and_what_it_has_no_part_in_is_not(*, far_too: bool) -> None:
    problem, running, goal = shared(far_too=far_too)
    choice = Choice(goal, Proof.OPTIMAL, Transition(), problem)
    found = beside_stuck(choice, running, fleet_of(running, problem), frozenset(("paris",)))
    assert {(item.option, item.count) for item in found.plan.instances} == {("a@near", 1), ("a@far", 1), ("b@far", 2)}
    assert set(found.plan.routes) == set(running.routes)
    assert found.way is not None
    assert [wave.name for wave in found.way.waves] == (["grow"] if far_too else [])


def test_beside_what_the_site_keeps_no_rule_is_broken() -> None:
    problem, running, _ = shared(far_too=False)
    away = plan({("a@far", "far-0"): 2, ("b@far", "far-0"): 2}, {"paris far": 1000, "lyon far": 1000, "b far": 1000})
    choice = Choice(away, Proof.OPTIMAL, Transition(), problem)
    found = beside_stuck(choice, running, fleet_of(running, problem), frozenset(("paris",)))
    assert set(found.plan.instances) == set(running.instances), "with two far and one near there would be one too many"


def test_where_what_runs_stays_routes_leave_what_may_serve_no_longer() -> None:
    problem, running, _ = shared(far_too=False)
    fleet = Fleet(problem).profile(
        "b", scope=Scope(services=("b-service",)), certifications=(asks("iso", (1,), at_line(2)),)
    )
    away = plan({("a@far", "far-0"): 2}, {"paris far": 1000, "lyon far": 1000}, {"b-service@lyon": 1000})
    choice = Choice(away, Proof.OPTIMAL, Transition(), fleet.problem)
    found = beside_stuck(choice, running, fleet_of(running, problem), frozenset(("paris",)))
    assert "b far" not in {route.path for route in found.plan.routes}
    assert found.way is not None
    assert [wave.name for wave in found.way.waves] == ["withdraw", "shrink"]
    assert {item.option for item in found.plan.instances} == {"a@near", "a@far"}, "and nobody else may use b"


def changing_places() -> tuple[Problem, Plan, Plan]:
    """Two models that fill a node each, in twice as many instances as they need, and are to change places."""
    fleet = Fleet().site("paris", "FR").site("lyon", "FR").link("lyon", "paris")
    fleet = fleet.pool("near", "paris", memory_mib=2).pool("far", "lyon", nodes=2, memory_mib=2)
    fleet = fleet.service("a-service", stage("only", "a")).service("b-service", stage("only", "b"))
    for model in ("a", "b"):
        fleet = fleet.demand(f"{model}-service", "lyon", 1000)
        fleet = fleet.option(f"{model}@far", model, "far", capacity_milli_rps=1000, load_us=1)
        fleet = fleet.path(f"{model} far", f"{model}-service@lyon", f"{model}@far")
    fleet = fleet.option("a@near", "a", "near", capacity_milli_rps=1000, load_us=1)
    routes = {"a far": 1000, "b far": 1000}
    running = plan({("a@near", "near-0"): 1, ("a@far", "far-0"): 2, ("b@far", "far-1"): 2}, routes)
    return fleet.problem, running, plan({("b@far", "far-0"): 2, ("a@far", "far-1"): 2}, routes)


@pytest.mark.parametrize("least", [1, 2])
def test_guards_are_kept_on_the_way_around_it(least: int) -> None:
    problem, running, goal = changing_places()
    floors = tuple(Floor(Placement(model, "fp32", "far"), least, "cooldown") for model in ("a", "b"))
    choice = Choice(goal, Proof.OPTIMAL, Transition(), replace(problem, floors=floors))
    found = beside_stuck(choice, running, fleet_of(running, problem), frozenset(("paris",)))
    moved = ("b@far", "far-0") in {(item.option, item.node) for item in found.plan.instances}
    assert moved == (least == 1), "there is no room to change places without one less of either for a while"


def test_without_a_site_that_is_stuck_nothing_is_changed_of_what_is_chosen() -> None:
    problem, running, goal = shared(far_too=True)
    choice = Choice(goal, Proof.OPTIMAL, Transition(), problem)
    assert beside_stuck(choice, running, fleet_of(running, problem), frozenset()) is choice
