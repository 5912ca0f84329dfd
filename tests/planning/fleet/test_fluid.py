"""How many nodes divided instances would power, held to a linear programme and to an example done by hand."""

import numpy as np
import pytest
from random_fleet import random_fleet
from scipy.optimize import linprog

from controller.planning.fleet.fluid import NEARLY, WHOLE, likely_nodes
from controller.planning.fleet.judge import judge
from controller.planning.fleet.packed import URPS, PackedProblem
from controller.planning.fleet.search import Search, search_tries

LARGE, SHARED, SMALL = range(3)
"""The pools of the example."""


def _giant_and_fillers() -> PackedProblem:
    """A model that takes most of a node's memory, and small ones that pay for what it leaves only if they come along.

    On large nodes the giant costs 40 / 4 = 10 a piece for 30 requests. On shared ones, at 9 a node, a giant answers 10
    and leaves room for three fillers, which cost 2 each on small nodes. So shared nodes are worth 10 / 3 + 3 · 2, a bit
    more than 9.
    """
    pools = {LARGE: (40.0, 80, 4), SHARED: (9.0, 24, 4), SMALL: (8.0, 16, 4)}
    use = {0: 14, 1: 1}
    offered = ((0, LARGE, 30), (0, SHARED, 10), (1, SHARED, 10), (1, SMALL, 10))
    return PackedProblem(
        pool_nodes=np.array([10, 20, 60]),
        pool_price=np.array([price for price, *_ in pools.values()]),
        pool_capacity=np.array([[memory, slots] for _, memory, slots in pools.values()]),
        first_option=np.array([0, 2, 4]),
        option_pool=np.array([pool for _, pool, _ in offered]),
        option_use=np.array([[use[model], 1] for model, *_ in offered]),
        option_urps=np.array([rps for *_, rps in offered]) * URPS,
        option_price=np.full(4, 0.001),
        option_reach=np.ones(4, np.int64),
        option_pair=np.arange(4),
        first_demand=np.array([0, 1, 2]),
        demand_urps=np.array([120, 360]) * URPS,
        demand_worth=np.full(2, 100.0 / URPS),
        pair_running=np.zeros(4, np.int64),
        start_price=0.0,
    )


def test_a_giant_goes_where_small_models_fill_its_nodes() -> None:
    problem = _giant_and_fillers()
    nodes = likely_nodes(problem, np.arange(4))
    assert nodes[LARGE] == 0
    assert nodes[SHARED] >= 12
    assert nodes[SMALL] <= 3
    within = Search(problem, most_nodes=nodes)
    assert within.cost == pytest.approx(12 * 9.0 + 48 * 0.001)
    assert Search(problem).cost > within.cost + 1


@pytest.mark.parametrize("seed", range(20))
def test_the_nodes_cost_about_what_the_best_divided_plan_pays_for_them(seed: int) -> None:
    problem = random_fleet(seed, models=12, pools=6)
    nodes = likely_nodes(problem, np.arange(problem.option_pool.size))
    assert (nodes <= problem.pool_nodes).all()
    least = _divided(problem)
    roundings = problem.pool_price[problem.pool_nodes > 0].sum()
    assert nodes @ problem.pool_price <= WHOLE * 1.25 * least + (1 - NEARLY) * roundings + 1e-9


def _divided(problem: PackedProblem) -> float:
    """The least cost of serving all that divided instances can serve at what it is worth."""
    reached = [
        (option, problem.first_demand[model] + bit)
        for model in range(problem.first_option.size - 1)
        for option in range(problem.first_option[model], problem.first_option[model + 1])
        for bit in range(problem.first_demand[model + 1] - problem.first_demand[model])
        if problem.option_reach[option] >> bit & 1
    ]
    pools, resources, demands = *problem.pool_capacity.shape, problem.demand_urps.size
    serves, holds = np.zeros((demands, len(reached))), np.zeros((pools * resources, len(reached)))
    cost = np.zeros(len(reached))
    for column, (option, demand) in enumerate(reached):
        instances, pool = 1 / problem.option_urps[option], problem.option_pool[option]
        serves[demand, column] = 1.0
        part = problem.option_use[option] / problem.pool_capacity[pool]
        holds[pool * resources : (pool + 1) * resources, column] = instances * part
        cost[column] = instances * problem.option_price[option] - problem.demand_worth[demand]
    node = -np.repeat(np.eye(pools), resources, axis=0)
    found = linprog(
        np.concatenate((cost, problem.pool_price)),
        A_ub=np.block([[serves, np.zeros((demands, pools))], [holds, node]]),
        b_ub=np.concatenate((problem.demand_urps, np.zeros(pools * resources))),
        bounds=[(0, None)] * len(reached) + [(0, int(many)) for many in problem.pool_nodes],
    )
    return float(found.fun + problem.demand_worth @ problem.demand_urps)


@pytest.mark.parametrize("seed", range(20))
def test_a_search_within_few_nodes_opens_more_only_where_it_must(seed: int) -> None:
    problem = random_fleet(seed, models=8, pools=6)
    none = np.zeros_like(problem.pool_nodes)
    free = Search(problem)
    within = Search(problem, seed=seed, most_nodes=none)
    assert within.cost == pytest.approx(free.cost)
    search_tries(within, 300)
    within.open_up()
    search_tries(within, 300)
    found = judge(problem, within.plan)
    assert not found.broken
    assert found.cost == pytest.approx(within.cost, abs=1e-6)


def test_a_fleet_without_nodes_options_or_demands_needs_none() -> None:
    problem = random_fleet(2, models=4, pools=3)
    order = np.arange(problem.option_pool.size)
    bare = problem._replace(pool_nodes=np.zeros_like(problem.pool_nodes))
    assert likely_nodes(bare, order).tolist() == [0, 0, 0]
    idle = problem._replace(demand_urps=np.zeros_like(problem.demand_urps))
    assert likely_nodes(idle, order).tolist() == [0, 0, 0]
