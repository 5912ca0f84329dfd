"""The loop with the fleet engine in place of CP-SAT: a small world is taken for one too large to be solved whole."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from test_safety import EVENTS, Watch, decisions
from whole_fleet import NOW, WholeFleet, whole_fleet
from world import BUDGET_LINE, BUSY, FRANKFURT, OCR, PARIS, World, finding_ids, pools_of

from controller.decision import Decision, Proof, State, Verdict
from controller.fleet import Fleet
from controller.planning import build as building
from controller.planning import cheapest
from controller.planning.build import build
from controller.planning.decide import decide
from controller.planning.explaining.explanation import explained
from controller.planning.kept import Kept
from controller.planning.verify import verify
from controller.planning.whole import rounds, size
from controller.whatif import NOTHING, would_decide
from rules.catalogue import EXCLUDING, RULES
from rules.kernel.problem import Problem


@pytest.fixture(scope="module", autouse=True)
def everything_is_large() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(size, "MOST_STANDS", 0)
        patch.setattr(rounds, "FREE_TRIES", 300)
        patch.setattr(rounds, "HELD_TRIES", 600)
        yield


def test_the_first_placement_serves_everything_and_keeps_card_data_at_certified_sites() -> None:
    decision = World().turn()
    assert decision.proof is Proof.FEASIBLE
    assert pools_of(decision, OCR) <= {PARIS, FRANKFURT}
    assert all(forecast.served_permille == 1000 for forecast in decision.forecasts)


def test_a_first_plan_is_made_for_devices_that_others_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = whole_fleet(60, seed=8)

    def overloaded(decision: Decision) -> int:
        """The options that get more than they answer once their company is known."""
        seen = replace(State(), plan=decision.plan, fleet=decision.fleet, crowding=decision.state.crowding)
        problem = build(fleet.policy, fleet.snapshot(decision.fleet), seen, NOW).whole
        return sum(violation.rule == "capacity" for violation in verify(decision.plan, problem))

    careful = turn(fleet, None)
    assert overloaded(careful) == 0
    monkeypatch.setattr(building, "on_full_devices", lambda *_: ())
    assert overloaded(turn(fleet, None)) > 0


def test_the_same_arguments_give_the_same_decision() -> None:
    world = World(rates=dict(BUSY))
    snapshot = world.snapshot()
    assert decide(world.policy, snapshot, world.state, world.now) == decide(
        world.policy, snapshot, world.state, world.now
    )


def test_a_fleet_that_nothing_happens_to_comes_to_rest() -> None:
    world = World(rates=dict(BUSY))
    world.rest()
    assert world.turn().verdict is Verdict.KEEP


def test_a_fleet_at_rest_is_not_planned_anew_until_something_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    plan_fleet = cheapest.plan_fleet
    monkeypatch.setattr(cheapest, "plan_fleet", lambda *given: asked.append(given) or plan_fleet(*given))
    world = World(rates=dict(BUSY))
    world.rest()
    world.turn()
    asked.clear()
    assert world.turn().verdict is Verdict.KEEP
    assert not asked
    world.rates = {key: rate * 2 for key, rate in world.rates.items()}
    world.turn()
    assert asked


def test_a_budget_that_is_too_small_refuses_what_the_order_says_and_spends_no_more() -> None:
    world = World(rates=dict(BUSY))
    world.budget(30_000)
    decision = world.turn()
    assert decision.cost_millicents_per_hour <= 30_000
    assert "GW2010" in finding_ids(decision)


def test_a_fleet_that_stays_short_is_told_why_though_it_never_comes_to_rest() -> None:
    world = World(rates=dict(BUSY))
    world.budget(100_000)
    first = world.turn()
    assert "GW2010" in finding_ids(first)
    assert "GW2011" not in finding_ids(first)
    changed = replace(world.state, fleet=Fleet(), plan=first.plan)
    again = decide(world.policy, world.snapshot(), changed, world.now)
    assert again.verdict is Verdict.CHANGE
    conflict = next(finding for finding in again.findings if finding.id == "GW2011")
    assert f":{BUDGET_LINE}:" in conflict.message
    assert again.state.conflict is not None
    assert again == decide(world.policy, world.snapshot(), changed, world.now)


def test_where_the_loop_asks_for_it_a_turn_leaves_open_why_and_its_answer_is_what_the_turn_would_have_found() -> None:
    world = World(rates=dict(BUSY))
    world.budget(100_000)
    first = world.turn()
    changed, kept = replace(world.state, fleet=Fleet(), plan=first.plan), Kept()
    inside = decide(world.policy, world.snapshot(), changed, world.now)
    open_state = replace(changed, left_open="")
    left = decide(world.policy, world.snapshot(), open_state, world.now, kept)
    assert inside.state.conflict is not None
    assert left.state.left_open == inside.state.conflict[0]
    assert left.state.conflict is None
    assert left == replace(
        inside,
        findings=tuple(each for each in inside.findings if each not in inside.state.conflict[1]),
        state=replace(inside.state, conflict=None, left_open=left.state.left_open),
    )
    assert kept.answered() == inside.state.conflict[1]
    assert kept.answered() == ()
    knowing = replace(open_state, conflict=inside.state.conflict)
    told = decide(world.policy, world.snapshot(), knowing, world.now, kept)
    assert told.findings == inside.findings
    assert told.state.left_open == ""
    assert kept.left_open is None


def test_what_is_imagined_is_told_with_why_for_no_turn_comes_after_it() -> None:
    world = World(rates=dict(BUSY))
    world.budget(100_000)
    first = world.turn()
    acting = replace(world.state, fleet=Fleet(), plan=first.plan, left_open="")
    imagined = would_decide(NOTHING, world.policy, world.snapshot(), acting, decide)
    assert "GW2011" in finding_ids(imagined)
    assert imagined.state.left_open is None


@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow], derandomize=True, deadline=None)
@given(events=EVENTS)
def test_no_moment_breaks_a_rule_whatever_happens(events: list[tuple[str, object, int]]) -> None:
    made = list(decisions(World(), Watch(), events))
    assert len(made) == 1 + len(events)


def turn(fleet: WholeFleet, before: Decision | None) -> Decision:
    state = before.state if before else State()
    now = NOW + timedelta(seconds=60 * state.turn)
    return decide(fleet.policy, fleet.snapshot(before.fleet if before else None, now), state, now)


@pytest.mark.long
def test_the_first_plan_of_a_large_fleet_can_be_explained() -> None:
    fleet = whole_fleet(60, seed=8)
    first = turn(fleet, None)
    placements = frozenset(placement for placement in list(first.plan.placements(problem_of(fleet, first)))[:2])
    found = explained(fleet.policy, fleet.snapshot(), first.state, first.plan, now=first.at, wanted=placements)
    assert {item.placement for item in found.runners_up} <= placements
    assert found.runners_up


def problem_of(fleet: WholeFleet, decision: Decision) -> Problem:
    """What a decision is explained by."""
    return build(fleet.policy, fleet.snapshot(), decision.state, decision.at).whole


def test_every_rule_is_in_use_in_a_generated_fleet() -> None:
    fleet = whole_fleet(110, seed=8)
    built = build(fleet.policy, fleet.snapshot(), State(), NOW)
    of_uses = {rule.id for rule in EXCLUDING if not rule.of_paths}
    assert {row.rule for row in built.exclusions} >= of_uses
    found_while_planning = {"preemption"}
    in_use = {rule.id for rule in RULES if rule.applies(built.problem)}
    assert in_use == {rule.id for rule in RULES} - found_while_planning


@pytest.mark.long
@pytest.mark.parametrize("seed", [4, 7])
def test_models_run_as_often_as_bounds_ask_also_where_no_path_takes_them(seed: int) -> None:
    fleet = whole_fleet(130, seed=seed)
    first = turn(fleet, None)
    assert first.verdict is Verdict.CHANGE
    assert "GW2012" not in finding_ids(first)
    for bound in fleet.policy.scaling.bounds:
        own = (load.instances for load in first.fleet.loads if load.placement.model == bound.model)
        assert bound.minimum <= sum(own) <= bound.maximum


@pytest.mark.long
def test_the_plans_of_a_generated_fleet_keep_every_rule() -> None:
    fleet = whole_fleet(110, seed=8)
    first = turn(fleet, None)
    assert first.verdict is Verdict.CHANGE
    assert verify(first.plan, build(fleet.policy, fleet.snapshot(), State(), NOW).problem) == ()
    changed = turn(fleet.changed(1), first)
    assert changed.verdict is not Verdict.IMPOSSIBLE
