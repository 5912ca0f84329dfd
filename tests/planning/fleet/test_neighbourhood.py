from itertools import islice, pairwise

import numpy as np
import pytest
from tiny_fleets import TASTES, least_cost, some_plan, tiny_fleet

from controller.planning.fleet.judge import judge
from controller.planning.fleet.neighbourhood import polished
from controller.planning.fleet.packed import EMPTY


@pytest.mark.parametrize("taste", TASTES)
def test_a_few_models_are_placed_as_well_as_can_be(taste: str) -> None:
    rng = np.random.default_rng(11)
    for _ in range(5):
        problem = tiny_fleet(rng, TASTES[taste])
        *_, last = islice(polished(problem, some_plan(rng, problem)), 2)
        verdict = judge(problem, last)
        assert verdict.broken == ()
        assert verdict.cost == pytest.approx(least_cost(problem), abs=1e-6)


@pytest.mark.parametrize("taste", ["slots", "starts"])
def test_a_plan_only_ever_gets_better_and_repeats_itself(taste: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.planning.fleet.neighbourhood.FEWEST_MODELS", 1)
    monkeypatch.setattr("controller.planning.fleet.neighbourhood.MOST_MODELS", 2)
    rng = np.random.default_rng(13)
    for _ in range(4):
        problem = tiny_fleet(rng, TASTES[taste])
        given = some_plan(rng, problem)
        plans = list(islice(polished(problem, given, seed=4), 6))
        verdicts = [judge(problem, plan) for plan in (given, *plans)]
        costs = [verdict.cost for verdict in verdicts]
        assert all(verdict.broken == () for verdict in verdicts)
        assert all(after <= before + 1e-9 for before, after in pairwise(costs))
        again = list(islice(polished(problem, given, seed=4), 6))
        assert all(
            np.array_equal(a, b) for one, two in zip(plans, again, strict=True) for a, b in zip(one, two, strict=True)
        )


def test_a_fleet_without_models_ends_at_once() -> None:
    rng = np.random.default_rng(1)
    problem = tiny_fleet(rng, TASTES["plain"])
    nothing = np.empty(0, np.int64)
    bare = problem._replace(
        first_option=np.array([0]),
        option_pool=nothing,
        option_use=problem.option_use[:0],
        option_urps=nothing,
        option_price=np.empty(0),
        option_reach=nothing,
        option_pair=nothing,
        first_demand=np.array([0]),
        demand_urps=nothing,
        demand_worth=np.empty(0),
        pair_running=nothing,
    )
    assert list(polished(bare, EMPTY)) == []
