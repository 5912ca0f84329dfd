"""Plans that become better as long as one asks: what is told of them holds."""

import time

import pytest
from random_fleet import random_fleet

from controller.decision import Proof
from controller.planning.fleet import anytime
from controller.planning.fleet.anytime import Anytime
from controller.planning.fleet.bound import Bound
from controller.planning.fleet.exact import Exact, solve_exactly
from controller.planning.fleet.fluid import likely_nodes
from controller.planning.fleet.judge import judge
from controller.planning.fleet.packed import PackedPlan, PackedProblem
from controller.planning.fleet.program import Limits
from controller.planning.fleet.search import Search, known_of


@pytest.fixture(scope="module", autouse=True)
def everything_is_compiled() -> None:
    """What is compiled at the first call would take the time that is planned with."""
    problem = random_fleet(0, models=12, pools=6)
    known = known_of(problem)
    Search(problem, most_nodes=likely_nodes(problem, known.order), known=known).run(1, 0.1)
    bound = Bound(problem)
    for _ in range(6):
        bound.improve()


def unproven(problem: PackedProblem, hint: PackedPlan, limits: Limits) -> Exact:
    """What comes of a time in which nothing was found."""
    time.sleep(limits.seconds)
    return Exact(hint, judge(problem, hint).cost, 0.0, Proof.FEASIBLE, 1.0)


@pytest.mark.parametrize("seed", range(6))
def test_a_small_fleet_is_proven_to_have_no_better_plan(seed: int) -> None:
    planning = Anytime(random_fleet(seed, models=4, pools=3))
    last = list(planning.improve_for(100.0))[-1]
    assert last.engine == "exact"
    assert last.bound == pytest.approx(last.cost)


def test_a_small_fleet_that_is_not_solved_at_once_is_searched_anew_and_bounded_beside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(anytime, "solve_exactly", unproven)
    monkeypatch.setattr(anytime, "undercut", lambda problem, plan, _, limits: unproven(problem, plan, limits))
    problem = random_fleet(2, models=12, pools=6)
    planning = Anytime(problem)
    told = list(planning.improve_for(3.2))
    assert 0 < told[-1].bound <= told[-1].cost + 1e-6
    assert told[-1].tries > max(step.tries for step in told if step.seconds < 3.2 * anytime.ALONE)
    assert judge(problem, planning.plan).cost == pytest.approx(told[-1].cost, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_a_small_fleet_that_is_not_solved_at_once_is_proven_to_be_near_its_best_plan(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anytime, "solve_exactly", unproven)
    monkeypatch.setattr(anytime, "PROVING_S", 100.0)
    problem = random_fleet(seed, models=4, pools=3)
    planning = Anytime(problem)
    last = list(planning.improve_for(4.0))[-1]
    assert (1 - anytime.NEAR) * last.cost <= last.bound + 1e-9
    assert last.bound <= solve_exactly(problem, planning.plan).cost + 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_a_large_fleet_is_searched_and_improved_in_parts_while_its_bound_rises(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anytime, "MOST_MODELS", 0)
    monkeypatch.setattr(anytime, "TURN_S", 0.3)
    problem = random_fleet(seed, models=12, pools=6)
    planning = Anytime(problem)
    told = list(planning.improve_for(3.0))
    costs = [step.cost for step in told]
    assert costs == sorted(costs, reverse=True)
    assert {"construct", "search", "parts", "done"} == {step.engine for step in told}
    assert 0 < told[-1].bound <= told[-1].cost + 1e-6
    found = judge(problem, planning.plan)
    assert not found.broken
    assert found.cost == pytest.approx(told[-1].cost, abs=1e-6)
