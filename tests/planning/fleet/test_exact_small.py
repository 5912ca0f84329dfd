import numpy as np
import pytest
from tiny_fleets import TASTES, least_cost, some_plan, tiny_fleet

from controller.decision import Proof
from controller.planning.fleet import slots
from controller.planning.fleet.exact import WORK, solve_exactly, undercut
from controller.planning.fleet.judge import judge
from controller.planning.fleet.packed import EMPTY, PackedPlan, PackedProblem
from controller.planning.fleet.program import Limits

EVERYDAY = 5
LONG = 1_500


def is_best(problem: PackedProblem, hint: PackedPlan) -> None:
    found, least = solve_exactly(problem, hint), least_cost(problem)
    verdict = judge(problem, found.plan)
    assert verdict.broken == ()
    assert found.proof is Proof.OPTIMAL
    assert verdict.cost == pytest.approx(least, abs=1e-6)
    assert found.cost == pytest.approx(least, abs=1e-6)
    assert found.bound == pytest.approx(least, abs=1e-6)


@pytest.mark.parametrize("taste", TASTES)
@pytest.mark.parametrize("seed", range(EVERYDAY))
def test_no_plan_of_a_tiny_fleet_is_cheaper(taste: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(3):
        problem = tiny_fleet(rng, TASTES[taste])
        is_best(problem, some_plan(rng, problem))


@pytest.mark.long
@pytest.mark.parametrize("taste", TASTES)
def test_no_plan_of_many_tiny_fleets_is_cheaper(taste: str) -> None:
    for seed in range(1000, 1000 + LONG):
        rng = np.random.default_rng(seed)
        problem = tiny_fleet(rng, TASTES[taste])
        is_best(problem, some_plan(rng, problem))


@pytest.mark.parametrize("taste", TASTES)
def test_nodes_that_have_to_be_told_apart_are_packed_as_well(taste: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "MOST_CUTS", 0)
    slots.undominated.cache_clear()
    rng = np.random.default_rng(7)
    for _ in range(5):
        problem = tiny_fleet(rng, TASTES[taste])
        is_best(problem, some_plan(rng, problem))
    slots.undominated.cache_clear()


@pytest.mark.parametrize("taste", TASTES)
def test_a_plan_without_work_is_the_one_that_was_given(taste: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(6):
        problem = tiny_fleet(rng, TASTES[taste])
        given = some_plan(rng, problem)
        found = solve_exactly(problem, given, Limits(work=0.0))
        assert found.cost <= judge(problem, given).cost + 1e-9
        assert judge(problem, found.plan).cost == pytest.approx(found.cost)
        assert found.bound <= least_cost(problem) + 1e-6


@pytest.mark.parametrize("taste", TASTES)
def test_what_is_asked_to_be_undercut_is_exactly_when_a_plan_costs_less(taste: str) -> None:
    rng = np.random.default_rng(11)
    for _ in range(6):
        problem = tiny_fleet(rng, TASTES[taste])
        given, least = some_plan(rng, problem), least_cost(problem)
        dearer, cheaper = undercut(problem, given, 1.01 * least, WORK), undercut(problem, given, 0.99 * least, WORK)
        assert judge(problem, dearer.plan).broken == ()
        assert judge(problem, dearer.plan).cost == pytest.approx(dearer.cost)
        assert dearer.cost <= 1.01 * least + 1e-6
        assert dearer.bound <= least + 1e-6
        if least > 0:
            assert cheaper.proof is Proof.INFEASIBLE
            assert cheaper.plan is given
            assert cheaper.bound == pytest.approx(0.99 * least)


def test_each_better_plan_is_told_and_can_stand() -> None:
    rng = np.random.default_rng(5)
    for _ in range(6):
        problem = tiny_fleet(rng, TASTES["starts"])
        told: list[PackedPlan] = []
        found = solve_exactly(problem, found=told.append)
        costs = [judge(problem, plan).cost for plan in told]
        assert all(judge(problem, plan).broken == () for plan in told)
        assert min(costs) == pytest.approx(found.cost)


def test_rates_between_grains_are_neither_oversold_nor_overlooked() -> None:
    rng = np.random.default_rng(9)
    for _ in range(20):
        coarse = tiny_fleet(rng, TASTES["plain"])
        problem = coarse._replace(
            option_urps=coarse.option_urps + rng.integers(-99, 100, coarse.option_urps.size),
            demand_urps=np.maximum(coarse.demand_urps + rng.integers(-99, 100, coarse.demand_urps.size), 0),
        )
        found, least = solve_exactly(problem), least_cost(problem)
        verdict = judge(problem, found.plan)
        assert verdict.broken == ()
        assert least - 1e-6 <= verdict.cost <= found.cost + 1e-6


def test_nothing_to_do_is_done_at_no_cost() -> None:
    nothing = np.empty(0, np.int64)
    problem = PackedProblem(
        pool_nodes=np.array([3]),
        pool_price=np.array([1.0]),
        pool_capacity=np.array([[4]]),
        first_option=np.array([0]),
        option_pool=nothing,
        option_use=np.empty((0, 1), np.int64),
        option_urps=nothing,
        option_price=np.empty(0),
        option_reach=nothing,
        option_pair=nothing,
        first_demand=np.array([0]),
        demand_urps=nothing,
        demand_worth=np.empty(0),
        pair_running=nothing,
        start_price=0.1,
    )
    found = solve_exactly(problem)
    assert (found.cost, found.bound, found.proof) == (0.0, 0.0, Proof.OPTIMAL)
    assert found.plan.instance_option.size == 0
    assert judge(problem, EMPTY).cost == 0.0
