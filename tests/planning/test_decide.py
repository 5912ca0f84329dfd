"""What a turn decides on the small world: where things stand, what moves them, and that the same gives the same."""

from dataclasses import replace
from datetime import timedelta

import msgspec
from world import (
    BUSY,
    FRANKFURT,
    LYON,
    OCR,
    PARIS,
    PCI_LINE,
    START,
    World,
    pools_of,
)

from controller.actions import SetLoad, SetRoutes, Unload
from controller.decision import Verdict
from controller.planning.build import build
from controller.planning.decide import decide
from controller.planning.verify import verify
from rules.kernel.problem import Placement


def test_the_first_placement_serves_everything_and_keeps_card_data_at_certified_sites() -> None:
    decision = World().turn()
    assert decision.verdict is Verdict.CHANGE
    standing = {load.placement.pool for load in decision.fleet.loads if load.placement.model in {"det", "cls", "rec"}}
    assert standing == {PARIS, FRANKFURT}
    assert pools_of(decision, OCR) <= standing
    assert all(f.served_permille == 1000 for f in decision.forecasts)
    assert all(f.p99_us <= 1_200_000 for f in decision.forecasts if f.service == OCR)


def test_of_the_plans_that_cost_the_same_the_one_that_answers_soonest_is_taken() -> None:
    decision = World().turn()
    ways = [way for routes in decision.fleet.routes if routes.service == OCR for way in routes.ways]
    assert all(len({placement.pool for placement in way.placements}) == 1 for way in ways)


def test_every_exclusion_tells_its_clause() -> None:
    world = World()
    exclusions = build(world.policy, world.snapshot(), world.state, world.now).exclusions
    barred = [row for row in exclusions if row.rule == "certification"]
    assert barred
    assert all(row.place is not None and row.place.line == PCI_LINE for row in barred)
    assert {row.option.split("@")[1].split()[0] for row in barred} == {LYON}


def test_a_second_turn_with_nothing_new_keeps_everything() -> None:
    world = World()
    world.turn()
    for _ in range(3):
        decision = world.turn()
        assert decision.verdict is Verdict.KEEP
        assert decision.transition.waves == ()


def test_protected_stages_leave_before_their_certification_ends() -> None:
    world = World()
    world.turn()
    world.certification_ends(PARIS, 45)
    decision = world.turn(30)
    assert PARIS not in pools_of(decision, OCR)
    assert decision.at < world.certified[PARIS]
    waves = {wave.name: wave.actions for wave in decision.transition.waves}
    assert [*waves][-3:] == ["grow", "route", "shrink"]
    assert not any(isinstance(action, SetRoutes) for action in waves.get("withdraw", ()))


def test_a_certification_that_has_ended_already_takes_the_routes_away_first() -> None:
    world = World(rates=dict(BUSY))
    assert PARIS in pools_of(world.turn(), OCR)
    world.certification_ends(PARIS, -1)
    decision = world.turn()
    first = decision.transition.waves[0]
    assert first.name == "withdraw"
    assert isinstance(first.actions[0], SetRoutes)
    ways = [way for r in first.actions[0].routes if r.service == OCR for way in r.ways]
    assert all(placement.pool != PARIS for way in ways for placement in way.placements)


def test_a_certification_that_is_not_issued_yet_does_not_count() -> None:
    world = World()
    snapshot = world.snapshot()
    later = tuple(replace(e, issued_at=START + timedelta(days=1)) for e in snapshot.evidence)
    decision = decide(world.policy, replace(snapshot, evidence=later), world.state, world.now)
    assert pools_of(decision, OCR) == set()


def test_routes_leave_a_server_that_vanished_and_come_back_with_it() -> None:
    world = World(rates=dict(BUSY))
    world.turn()
    world.servers[FRANKFURT] = None
    decision = world.turn()
    assert decision.transition.waves[0].name == "withdraw"
    assert FRANKFURT not in pools_of(decision, OCR)
    assert pools_of(world.turn(), OCR) == {PARIS}
    world.servers[FRANKFURT] = ()
    assert FRANKFURT in pools_of(world.turn(), OCR)


def test_a_model_that_nobody_asked_for_is_unloaded_last() -> None:
    world = World()
    world.turn()
    stray = replace(world.servers[PARIS][0], model="stray")
    world.servers[PARIS] = (*world.servers[PARIS], stray)
    decision = world.turn()
    wave = decision.transition.waves[-1]
    assert wave.name == "shrink"
    assert Unload(Placement("stray", stray.variant, PARIS)) in wave.actions


def test_the_order_of_readings_changes_nothing() -> None:
    world = World()
    snapshot = world.snapshot()
    turned = replace(
        snapshot,
        servers=snapshot.servers[::-1],
        offered=snapshot.offered[::-1],
        evidence=snapshot.evidence[::-1],
    )
    assert decide(world.policy, snapshot, world.state, START) == decide(world.policy, turned, world.state, START)


def test_the_same_inputs_give_the_same_decision_bit_for_bit() -> None:
    first, second = World(rates=dict(BUSY)), World(rates=dict(BUSY))
    for _ in range(2):
        assert msgspec.json.encode(first.turn()) == msgspec.json.encode(second.turn())


def test_every_plan_is_verified_by_the_rules_alone() -> None:
    world = World()
    world.turn()
    built = build(world.policy, world.snapshot(), world.state, world.now)
    assert verify(world.state.plan, built.problem) == ()


def test_growing_asks_for_whole_states_so_that_doing_it_twice_does_no_harm() -> None:
    decision = World().turn()
    grow = next(wave for wave in decision.transition.waves if wave.name == "grow")
    assert all(isinstance(action, SetLoad) for action in grow.actions)
    wanted = {load.placement: load for load in decision.fleet.loads}
    assert all(action.load.instances >= wanted[action.load.placement].instances for action in grow.actions)
