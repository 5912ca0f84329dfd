"""Plans found while the fleet is at rest: only what pays is proposed, and a turn weighs it as any other."""

import threading
from dataclasses import replace

import pytest
from world import FRANKFURT, OCR, PARIS, POLICY, World, pools_of

from controller.decision import Proof, Verdict
from controller.planning import cheapest, choose, polish
from controller.planning import solve as solving
from controller.planning.build import build, write
from controller.planning.fleet.search import Search, search_tries
from controller.planning.objective import cost_of
from controller.planning.polish import polished
from controller.planning.solve import Solved, solve
from controller.planning.whole import rounds
from controller.planning.work import PLAN_WORK
from rules.kernel.formulation import Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem

ANYWHERE = replace(
    POLICY, services=tuple(replace(service, availability=None) for service in POLICY.services), revision="anywhere"
)


def hasty(form: Formulation, problem: Problem, hint: Plan | None = None) -> Solved:
    """What a turn finds on a fleet too large for it: nothing better than what runs."""
    if hint is None:
        return solve(form, problem)
    return Solved(hint, Proof.FEASIBLE, cost_of(hint, form), 0, 0.0)


@pytest.fixture
def at_rest(monkeypatch: pytest.MonkeyPatch) -> World:
    """A fleet that pays for a cloud node which nothing asks for any more, and that its turns leave as it is."""
    world = World()
    world.rest()
    assert FRANKFURT in pools_of(world.turn(), OCR)
    world.policy = ANYWHERE
    monkeypatch.setattr(cheapest, "solve", hasty)
    decision = world.turn()
    assert decision.verdict is Verdict.KEEP
    assert decision.proof is Proof.FEASIBLE
    return world


def proposal_for(world: World) -> Plan | None:
    return polished(world.policy, world.snapshot(), world.state, world.now, threading.Event())


def test_what_a_search_at_rest_finds_is_gone_for_in_the_next_turn(at_rest: World) -> None:
    found = proposal_for(at_rest)
    assert found is not None
    before = at_rest.turn().cost_millicents_per_hour
    at_rest.state = replace(at_rest.state, proposal=found)
    decision = at_rest.turn()
    assert decision.verdict is Verdict.CHANGE
    assert pools_of(decision, OCR) == {PARIS}
    assert decision.cost_millicents_per_hour <= before - 120_000
    assert decision.state.proposal is None


def test_a_proposal_is_weighed_also_where_the_question_was_answered_before(
    at_rest: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = proposal_for(at_rest)
    monkeypatch.setattr(choose, "is_small", lambda _: False)
    monkeypatch.setattr(cheapest, "is_small", lambda _: False)
    monkeypatch.setattr(cheapest, "plan_fleet", lambda form, problem, running, *_below: hasty(form, problem, running))
    assert at_rest.turn().state.settled
    at_rest.state = replace(at_rest.state, proposal=found)
    assert pools_of(at_rest.turn(), OCR) == {PARIS}


def test_nothing_is_proposed_where_the_best_plan_runs() -> None:
    world = World()
    world.rest()
    assert proposal_for(world) is None


def test_a_saving_below_the_price_of_a_start_is_not_proposed(at_rest: World) -> None:
    dear = replace(at_rest.policy.cost, start_millicents=200_000)
    at_rest.policy = replace(at_rest.policy, cost=dear, revision="dear starts")
    assert proposal_for(at_rest) is None


def test_a_proposal_that_no_longer_keeps_every_rule_is_left(at_rest: World) -> None:
    found = proposal_for(at_rest)
    at_rest.certification_ends(PARIS, -1)
    at_rest.state = replace(at_rest.state, proposal=found)
    assert pools_of(at_rest.turn(), OCR) == {FRANKFURT}


def test_what_runs_against_the_wall_counts_only_where_it_need_not_be_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    problem = build(world.policy, world.snapshot(), world.state, world.now).problem
    solver = solving.limited(PLAN_WORK)
    monkeypatch.setattr(solving, "limited", lambda _: solver)
    monkeypatch.setattr(solving, "WALL_LIMIT_S", 0.0)
    assert solve(write(problem), problem).plan is None
    assert solve(write(problem), problem, stop=threading.Event()).plan is not None


def test_a_search_that_is_stopped_proposes_nothing(at_rest: World) -> None:
    stop = threading.Event()
    stop.set()
    assert polished(at_rest.policy, at_rest.snapshot(), at_rest.state, at_rest.now, stop) is None


def test_the_engine_for_large_fleets_is_given_more_tries_too(at_rest: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def counted(search: Search, tries: int, stop: threading.Event) -> float:
        tried.append(tries)
        return search_tries(search, tries, stop)

    monkeypatch.setattr(polish, "is_small", lambda _: False)
    monkeypatch.setattr(rounds, "search_tries", counted)
    found = proposal_for(at_rest)
    assert found is not None
    assert not any(FRANKFURT in item.option for item in found.instances)
    assert {tries // rounds.HELD_TRIES for tries in tried} >= set(polish.LONGER)


def test_a_search_of_a_large_fleet_that_is_stopped_ends_without_a_plan(at_rest: World) -> None:
    built = build(at_rest.policy, at_rest.snapshot(), at_rest.state, at_rest.now)
    stop = threading.Event()
    stop.set()
    found = rounds.plan_fleet(write(built.problem), built.problem, Plan(), effort=rounds.Effort(64, stop))
    assert found.plan is None
