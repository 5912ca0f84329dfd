"""What a turn decides where not everything can be served, and where no plan is found."""

from dataclasses import replace

import pytest
from world import (
    AVAILABILITY_LINE,
    BUDGET_LINE,
    BUSY,
    CALM,
    OCR,
    VAD,
    World,
    finding_ids,
)

from controller.actions import Outcome, Unload
from controller.decision import Verdict
from controller.loop.remembering import remembered
from controller.planning import preemption
from controller.planning.build import Built, build
from controller.planning.decide import decide
from controller.planning.explaining import falling_short
from controller.planning.explaining.explanation import Shortfall
from controller.planning.recheck import recheck
from controller.planning.running import running_plan
from policy.resolved import LatencyObjective
from rules.kernel.plan import Degraded, Plan


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
