"""The loop on a fleet that is too large to be solved whole."""

from dataclasses import replace
from datetime import timedelta

import pytest
from whole_fleet import NOW, WholeFleet, whole_fleet

from controller.decision import Decision, Proof, State, Verdict
from controller.planning.build import build
from controller.planning.decide import decide
from controller.planning.verify import verify
from controller.planning.whole.size import is_small

NODES = 110


def turn(fleet: WholeFleet, before: Decision | None) -> Decision:
    state = before.state if before else State()
    now = NOW + timedelta(seconds=60 * state.turn)
    return decide(fleet.policy, fleet.snapshot(before.fleet if before else None, now), state, now)


@pytest.fixture(scope="module")
def fleet() -> WholeFleet:
    return whole_fleet(NODES, seed=2)


@pytest.fixture(scope="module")
def first(fleet: WholeFleet) -> Decision:
    return turn(fleet, None)


def test_a_large_fleet_is_planned_by_the_fleet_engine_and_the_verifier_agrees(
    fleet: WholeFleet, first: Decision
) -> None:
    built = build(fleet.policy, fleet.snapshot(), State(), NOW)
    assert not is_small(built.problem)
    assert first.verdict is Verdict.CHANGE
    assert first.proof is Proof.FEASIBLE
    assert verify(first.plan, built.problem) == ()


def test_the_same_arguments_give_the_same_decision(fleet: WholeFleet, first: Decision) -> None:
    assert turn(fleet, None) == first


def test_a_turn_with_nothing_new_moves_nothing(fleet: WholeFleet, first: Decision) -> None:
    assert turn(fleet, first).transition.waves == ()


def test_changed_demands_are_followed_by_safe_steps(fleet: WholeFleet, first: Decision) -> None:
    changed = replace(fleet, rates={key: 2 * rate for key, rate in fleet.rates.items()})
    decision = turn(changed, first)
    assert decision.verdict is Verdict.CHANGE
    assert sum(load.instances for load in decision.fleet.loads) > sum(load.instances for load in first.fleet.loads)
