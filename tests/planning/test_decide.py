from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from world import (
    AVAILABILITY_LINE,
    BUDGET_LINE,
    BUSY,
    CALM,
    FRANKFURT,
    LYON,
    OCR,
    PARIS,
    PCI_LINE,
    POLICY,
    START,
    VAD,
    World,
    finding_ids,
    pools_of,
)

from collectors.snapshot import Expected, Foreseen, ModelState, Reading
from controller.actions import Outcome, SetLoad, SetRoutes, Unload
from controller.decision import Decision, KnownBurst, State, Verdict
from controller.loop.remembering import remembered
from controller.planning import falling_short, preemption
from controller.planning.build import Built, build
from controller.planning.decide import decide
from controller.planning.explanation import Shortfall
from controller.planning.recheck import recheck
from controller.planning.running import running_plan
from controller.planning.verify import verify
from policy.resolved import LatencyObjective
from rules.kernel.plan import Degraded, Plan
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


@pytest.mark.parametrize("factor", [0.8, 0.95, 1.0, 1.05])
def test_noise_in_the_measured_rates_moves_nothing(factor: float) -> None:
    world = World(rates=dict(BUSY))
    world.turn()
    world.turn()
    world.rates = {key: int(rate * factor) for key, rate in BUSY.items()}
    assert world.turn().verdict is Verdict.KEEP


def test_ten_times_the_traffic_grows_the_fleet_before_anything_shrinks() -> None:
    world = World()
    calm = world.turn()
    world.rates = dict(BUSY)
    busy = world.turn()
    capacity = sum(load.instances for load in busy.fleet.loads)
    assert capacity > sum(load.instances for load in calm.fleet.loads)
    names = [wave.name for wave in busy.transition.waves]
    assert names == [name for name in ("withdraw", "grow", "route", "shrink") if name in names]
    assert all(f.served_permille == 1000 for f in busy.forecasts)


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


def test_a_loading_instance_counts_as_supply() -> None:
    world = World()
    world.turn()
    world.servers = {
        pool: tuple(replace(m, state=ModelState.LOADING) for m in models) for pool, models in world.servers.items()
    }
    assert world.turn().verdict is Verdict.KEEP


def test_stale_rates_scale_nothing_down_and_say_so() -> None:
    world = World(rates=dict(BUSY))
    before = world.turn()
    world.rates_at = world.now
    world.rates = dict.fromkeys(BUSY, 0)
    decision = world.turn(300)
    assert "GW2001" in finding_ids(decision)
    assert decision.fleet.loads == before.fleet.loads


def test_zero_traffic_that_was_really_measured_shrinks_the_fleet() -> None:
    world = World(rates=dict(BUSY))
    before = world.turn()
    world.rates = dict.fromkeys(BUSY, 0)
    for _ in range(4):
        decision = world.turn(120)
    assert sum(x.instances for x in decision.fleet.loads) < sum(x.instances for x in before.fleet.loads)


def test_an_instance_that_nothing_needs_goes_however_dear_starts_are() -> None:
    world = World(policy=replace(POLICY, cost=replace(POLICY.cost, start_millicents=1_000_000)))
    before = world.rest()
    idle, *others = world.servers[PARIS]
    world.servers[PARIS] = (replace(idle, instances=idle.instances + 1), *others)
    assert world.turn(120).fleet.loads == before.fleet.loads


def test_nothing_that_was_just_started_is_taken_away_within_the_cooldown() -> None:
    world = World(rates=dict(BUSY))
    before = world.turn()
    world.rates = dict.fromkeys(BUSY, 10)
    decision = world.turn(5)
    counts = {load.placement: load.instances for load in decision.fleet.loads}
    assert all(counts.get(load.placement, 0) >= load.instances for load in before.fleet.loads)


def test_a_budget_that_is_too_small_degrades_and_names_the_clashing_clauses() -> None:
    world = World(rates=dict(BUSY))
    world.turn()
    world.budget(100_000)
    decision = world.rest()
    assert {"GW2010", "GW2011", "GW2018"} <= finding_ids(decision)
    assert decision.cost_millicents_per_hour <= 100_000
    conflict = next(f for f in decision.findings if f.id == "GW2011")
    assert f":{BUDGET_LINE}:" in conflict.message
    assert f":{AVAILABILITY_LINE}:" in conflict.message
    assert all(f.served_permille == 1000 for f in decision.forecasts if f.service == VAD)


def test_a_question_about_a_shortfall_is_asked_once_even_if_nothing_answers_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def nothing_found(plan: Plan, built: Built, running: Plan) -> Shortfall:
        asked.append((plan, built, running))
        return Shortfall()

    monkeypatch.setattr(falling_short, "shortfall_of", nothing_found)
    world = World(rates=dict(BUSY))
    world.turn()
    world.budget(100_000)
    world.rest()
    assert len(asked) == 1
    world.turn()
    assert len(asked) == 1
    world.budget(90_000)
    world.rest()
    assert len(asked) == 2


def test_each_clause_of_a_conflict_is_needed_for_it() -> None:
    world = World()
    world.budget(100_000)
    assert "GW2011" in finding_ids(world.rest())
    for relaxed in (
        replace(world.policy, cost=replace(world.policy.cost, ceilings=()), revision="a"),
        replace(world.policy, compliance=(), revision="b"),
        replace(
            world.policy,
            services=tuple(replace(s, availability=None) for s in world.policy.services),
            revision="c",
        ),
    ):
        assert "GW2011" not in finding_ids(World(policy=relaxed).rest())


def test_an_objective_that_nothing_can_meet_leaves_the_other_service_alone() -> None:
    world = World()
    world.turn()
    hopeless = LatencyObjective(9900, 20_000, 300, world.policy.services[0].latency[0].place)
    ocr = replace(world.policy.services[0], latency=(hopeless,))
    world.policy = replace(world.policy, services=(ocr, world.policy.services[1]), revision="hopeless")
    decision = world.rest()
    served = {(f.service, f.served_permille) for f in decision.forecasts}
    assert served == {(OCR, 0), (VAD, 1000)}
    conflict = next(f for f in decision.findings if f.id == "GW2011")
    assert "receipt-ocr: p99 below 20 ms" in conflict.message


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


def test_a_decision_is_not_carried_out_when_its_evidence_has_gone_meanwhile() -> None:
    world = World(rates=dict(BUSY))
    decision = world.turn()
    assert recheck(world.policy, world.snapshot(), decision, world.now) == ()
    world.certified.pop(PARIS)
    found = recheck(world.policy, world.snapshot(), decision, world.now)
    assert {finding.place.line for finding in found if finding.place} == {PCI_LINE}


def test_a_decision_is_not_carried_out_on_a_server_that_has_gone_meanwhile() -> None:
    world = World()
    decision = world.turn()
    world.servers[FRANKFURT] = None
    assert "GW2021" in {finding.id for finding in recheck(world.policy, world.snapshot(), decision, world.now)}


def test_a_change_of_the_policy_makes_a_decision_void() -> None:
    world = World()
    decision = world.turn()
    world.budget(450_000)
    assert "GW2020" in {finding.id for finding in recheck(world.policy, world.snapshot(), decision, world.now)}


def test_growing_asks_for_whole_states_so_that_doing_it_twice_does_no_harm() -> None:
    decision = World().turn()
    grow = next(wave for wave in decision.transition.waves if wave.name == "grow")
    assert all(isinstance(action, SetLoad) for action in grow.actions)
    wanted = {load.placement: load for load in decision.fleet.loads}
    assert all(action.load.instances >= wanted[action.load.placement].instances for action in grow.actions)


def test_idle_rates_are_planned_as_calm_ones_are() -> None:
    world = World(rates=dict(CALM))
    decision = world.turn()
    assert {f.rate_milli_rps for f in decision.forecasts if f.service == VAD} == {7200}


def foreseeing(world: World, p90_milli_rps: int, age_s: int = 0) -> int:
    """What is planned for the voice service from Paris when so much of it is foreseen."""
    at = world.now - timedelta(seconds=age_s)
    reading = Reading(Foreseen(p90_milli_rps, p90_milli_rps, p90_milli_rps, 120), at, "forecast")
    snapshot = replace(world.snapshot(), expected=(Expected(VAD, PARIS, reading),))
    built = build(world.policy, snapshot, world.state, world.now)
    return next(d.rate_milli_rps for d in built.whole.demands if (d.service, d.origin) == (VAD, PARIS))


@pytest.mark.parametrize(
    ("p90_milli_rps", "age_s", "planned"),
    [
        (5_000, 0, 7_200),  # less than the rate with its headroom
        (9_000, 0, 9_000),
        (9_001, 0, 9_500),  # in steps
        (9_000, 121, 7_200),  # too old
    ],
)
def test_the_larger_of_headroom_and_forecast_is_planned_for(p90_milli_rps: int, age_s: int, planned: int) -> None:
    world = World()
    world.turn()
    assert foreseeing(world, p90_milli_rps, age_s) == planned


def test_a_demand_that_comes_in_bursts_is_given_more_room() -> None:
    """At the same rate the plan's own prediction is longer, and no plan is taken whose prediction is too long."""
    world = World()
    calm = decide(POLICY, world.snapshot(), State(), START)
    bursts = (KnownBurst(VAD, PARIS, 800, 500_000, 800, 500_000),)
    bursty = decide(POLICY, world.snapshot(), State(bursts=bursts), START)
    p99_us = {name: forecast_p99_us(decision, VAD, PARIS) for name, decision in (("calm", calm), ("bursty", bursty))}
    assert p99_us["bursty"] > p99_us["calm"]
    assert bursty.state.bursts == bursts
    assert bursty.cost_millicents_per_hour >= calm.cost_millicents_per_hour


def forecast_p99_us(decision: Decision, service: str, origin: str) -> int:
    return next(item.p99_us for item in decision.forecasts if (item.service, item.origin) == (service, origin))


def test_where_no_plan_is_found_what_may_no_longer_serve_is_withdrawn_and_that_may_be_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(rates=dict(BUSY))
    world.rest()
    monkeypatch.setattr(preemption, "cheapest", lambda *_, **__: None)
    world.certified.clear()
    snapshot = world.snapshot()
    decision = decide(world.policy, snapshot, world.state, world.now)
    (withdraw,) = decision.transition.waves
    assert withdraw.name == "withdraw"
    unloaded = {action.placement.model for action in withdraw.actions if isinstance(action, Unload)}
    assert unloaded == {stage.model for stage in world.policy.service(OCR).stages}
    assert {load.placement.model for load in decision.fleet.loads} == {"vad"}
    assert not any(routes.ways for routes in decision.fleet.routes if routes.service == OCR)
    assert any(routes.ways for routes in decision.fleet.routes if routes.service != OCR)
    assert recheck(world.policy, snapshot, decision, world.now) == ()


def test_where_no_plan_is_found_nobody_has_more_by_the_rates_of_then(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(rates=dict(CALM))
    world.rest()
    before = world.state.forecasts
    monkeypatch.setattr(preemption, "cheapest", lambda *_, **__: None)
    world.certified.clear()
    world.rates = dict(BUSY)
    decision = decide(world.policy, world.snapshot(), world.state, world.now)
    assert decision.verdict is Verdict.IMPOSSIBLE
    assert {each.rate_milli_rps for each in decision.forecasts} != {each.rate_milli_rps for each in before}
    assert decision.state.forecasts == before
    done = [
        Outcome(decision.id, wave.name, action, world.now, world.now)
        for wave in decision.transition.waves
        for action in wave.actions
    ]
    assert remembered(world.state, decision, done).forecasts == before
    assert remembered(world.state, decision, ()).forecasts == before


def test_levels_of_services_that_are_gone_or_have_fewer_steps_are_forgotten() -> None:
    world = World(rates=dict(BUSY))
    world.rest()
    degraded = (Degraded("gone", 1), Degraded(OCR, 99))
    state = replace(world.state, plan=replace(world.state.plan, degraded=degraded))
    built = build(world.policy, world.snapshot(), state, world.now)
    steps = len(world.policy.service(OCR).degrade)
    assert running_plan(built.whole, built.loaded, state).degraded == (Degraded(OCR, steps + 1),)
