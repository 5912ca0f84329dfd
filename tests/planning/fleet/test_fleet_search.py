"""The search's own account of a plan, its repeatability, and how good it is on small fleets."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from random_fleet import random_fleet

from controller.planning.fleet.layout import layout
from controller.planning.fleet.packed import EMPTY, PackedPlan, PackedProblem
from controller.planning.fleet.ranking import ranked
from controller.planning.fleet.search import Search, search_for, search_tries
from controller.planning.fleet.standing import place, plan_of, remove, settle, standing, take_back

SEEDS = range(25)


def _cost(problem: PackedProblem, plan: PackedPlan) -> float:
    """What a plan costs, counted anew from nothing; also holds it to its nodes' room."""
    fixed = layout(problem)
    at = standing(problem, fixed, plan)
    assert at.node_held.sum() == plan.instance_option.size
    assert (at.node_room >= 0).all()
    nodes = np.unique(plan.instance_node)
    starts = np.maximum(at.pair_held - problem.pair_running, 0).sum()
    return float(
        problem.pool_price[fixed.node_pool[nodes]].sum()
        + problem.option_price[plan.instance_option].sum()
        + problem.start_price * starts
        + at.missed.sum()
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_costs_what_the_search_says(seed: int) -> None:
    problem = random_fleet(seed, models=6, pools=5, start_price=0.1)
    search = Search(problem, seed=seed)
    search_tries(search, 300)
    assert search.cost == pytest.approx(_cost(problem, search.plan), abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_taken_back_leaves_nothing_behind(seed: int) -> None:
    problem = random_fleet(seed, models=5, pools=4, start_price=0.1)
    search = Search(problem, seed=seed)
    fixed = layout(problem)
    at = standing(problem, fixed, search.plan)
    before = [array.copy() for array in at[:9]]
    contents = _contents(at.node_option)
    for option, node in zip(*search.plan, strict=True):
        remove(problem, fixed, at, option, node)
        place(problem, fixed, at, option, node)
        remove(problem, fixed, at, option, node)
    take_back(problem, fixed, at)
    for model in range(problem.first_option.size - 1):
        settle(problem, fixed, at, model)
    assert _contents(at.node_option) == contents
    for now, then in zip((at.node_room, *at[2:9]), (before[0], *before[2:9]), strict=True):
        assert np.allclose(now, then)


def _contents(node_option: np.ndarray) -> list[list[int]]:
    return [sorted(row.tolist()) for row in node_option]


def test_the_same_seed_and_tries_give_the_same_plan() -> None:
    problem = random_fleet(3, models=12, pools=6)
    found = []
    for _ in range(2):
        search = Search(problem, seed=9)
        search_tries(search, 500)
        found.append(search)
    assert found[0].cost == found[1].cost
    assert all(np.array_equal(*columns) for columns in zip(found[0].plan, found[1].plan, strict=True))


def test_costs_only_fall_and_a_plan_stands_from_the_first_step() -> None:
    problem = random_fleet(5, models=12, pools=6)
    steps = list(search_for(Search(problem), 0.05))
    costs = [step.cost for step in steps]
    assert costs == sorted(costs, reverse=True)
    assert steps[0].tries == 0
    assert steps[-1].tries > 0


def test_a_plan_that_runs_is_kept_where_moving_costs_more_than_it_saves() -> None:
    problem = random_fleet(8, models=6, pools=5)
    first = Search(problem, seed=1)
    search_tries(first, 2000)
    at = standing(problem, layout(problem), first.plan)
    dear = problem._replace(pair_running=at.pair_held.copy(), start_price=1000.0)
    again = Search(dear, first.plan, seed=2)
    search_tries(again, 2000)
    now = standing(dear, layout(dear), again.plan)
    assert (now.pair_held <= at.pair_held).all()


@pytest.mark.parametrize("seed", range(40))
def test_small_fleets_get_the_best_plan(seed: int) -> None:
    problem = random_fleet(seed, models=2, pools=2, start_price=0.05)
    best = min(_every_plan(problem))
    search = Search(problem, seed=1)
    search_tries(search, 3000)
    assert search.cost >= best - 1e-9
    assert search.cost == pytest.approx(best, abs=1e-9)


def _every_plan(problem: PackedProblem) -> Iterator[float]:
    """The cost of each way to fill the nodes."""
    fixed = layout(problem)
    contents = [list(_fillings(problem, pool)) for pool in fixed.node_pool]
    yield _cost(problem, EMPTY)
    for filled in itertools.product(*contents):
        instances = [(option, node) for node, options in enumerate(filled) for option in options]
        columns = np.array(instances, np.int64).reshape(-1, 2)
        yield _cost(problem, PackedPlan(columns[:, 0].copy(), columns[:, 1].copy()))


def _fillings(problem: PackedProblem, pool: int) -> Iterator[tuple[int, ...]]:
    here = np.flatnonzero(problem.option_pool == pool)
    for many in range(int(problem.pool_capacity[pool, 1]) + 1):
        for options in itertools.combinations_with_replacement(here.tolist(), many):
            if (problem.option_use[list(options)].sum(axis=0) <= problem.pool_capacity[pool]).all():
                yield options


@pytest.mark.parametrize("seed", range(10))
def test_every_option_is_ranked_once_within_its_model(seed: int) -> None:
    problem = random_fleet(seed, models=6, pools=6)
    order = ranked(problem, layout(problem))
    for model in range(problem.first_option.size - 1):
        first, last = problem.first_option[model], problem.first_option[model + 1]
        assert sorted(order[first:last].tolist()) == list(range(first, last))


def test_a_model_that_no_pool_may_hold_stays_unserved_beside_the_others() -> None:
    problem = random_fleet(3, models=2)
    more = problem._replace(
        first_option=np.append(problem.first_option, problem.first_option[-1]),
        first_demand=np.append(problem.first_demand, problem.first_demand[-1] + 1),
        demand_urps=np.append(problem.demand_urps, 7_000_000),
        demand_worth=np.append(problem.demand_worth, 1e-6),
    )
    searches = Search(problem), Search(more)
    costs = [search_tries(search, 500) for search in searches]
    assert costs[1] == pytest.approx(costs[0] + 7.0)


def test_options_that_reach_nobody_are_ranked_last() -> None:
    problem = random_fleet(4, models=4, pools=4)
    blind = problem.option_reach.copy()
    blind[problem.first_option[:-1]] = 0
    problem = problem._replace(option_reach=blind)
    order = ranked(problem, layout(problem))
    for model in range(4):
        first, last = problem.first_option[model], problem.first_option[model + 1]
        assert sorted(order[first:last].tolist()) == list(range(first, last))
        assert order[last - 1] == first


def test_a_fleet_without_nodes_serves_nothing() -> None:
    problem = random_fleet(2)
    bare = problem._replace(pool_nodes=np.zeros_like(problem.pool_nodes))
    search = Search(bare)
    search_tries(search, 10)
    assert search.plan.instance_option.size == 0
    assert search.cost == pytest.approx(float(problem.demand_urps @ problem.demand_worth))
    assert plan_of(standing(bare, layout(bare), EMPTY).node_option).instance_node.size == 0
