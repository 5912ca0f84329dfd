"""Random fleets so small that all their plans can be tried, and what the best of them costs."""

from collections.abc import Iterator
from itertools import combinations_with_replacement, product

import numpy as np

from controller.planning.fleet.covering import cost_missing, worsen
from controller.planning.fleet.packed import (
    URPS,
    Floats,
    Ints,
    PackedProblem,
)
from controller.planning.fleet.subsets import first_subsets, subset_urps

SLOTS = 3


def tiny_fleet(seed: int, *, own_nodes: bool = False, models: int = 2) -> PackedProblem:
    """Two pools of at most two nodes and at most six options.

    With `own_nodes` there is one model that needs at most four instances, each fills a node, and nodes abound.
    """
    draw = np.random.default_rng(seed)
    models = 1 if own_nodes else models
    options, demands = draw.integers(1, 1 + 6 // models, models), draw.integers(0, 3 if own_nodes else 4, models)
    option_model = np.repeat(np.arange(models), options)
    count, reaches = option_model.size, (1 << demands)[option_model]
    pool = draw.integers(0, 2, count)
    pairs, option_pair = np.unique(option_model * 2 + pool, return_inverse=True)
    worth = [np.sort(draw.uniform(0, 3, amount))[::-1] / URPS for amount in demands]
    return PackedProblem(
        pool_nodes=np.full(2, 9) if own_nodes else draw.integers(0, 3, 2),
        pool_price=draw.uniform(0, 3, 2).round(2),
        pool_capacity=np.full((2, 2), (1, 1))
        if own_nodes
        else np.stack((np.full(2, SLOTS), draw.integers(4, 9, 2)), 1),
        first_option=np.concatenate(([0], np.cumsum(options))),
        option_pool=pool,
        option_use=np.ones((count, 2), np.int64)
        if own_nodes
        else np.stack((np.ones(count, np.int64), draw.integers(0, 6, count)), 1),
        option_urps=draw.integers(URPS if own_nodes else 0, 4 * URPS, count),
        option_price=draw.uniform(0, 0.5, count).round(2),
        option_reach=draw.integers(0, reaches),
        option_pair=option_pair.reshape(-1),
        first_demand=np.concatenate(([0], np.cumsum(demands))),
        demand_urps=draw.integers(0, (2 if own_nodes else 5) * URPS, int(demands.sum())),
        demand_worth=np.concatenate(worth),
        pair_running=draw.integers(0, 3, pairs.size),
        start_price=float(draw.choice([0.0, 0.3])),
    )


def least_cost(problem: PackedProblem, most_nodes: int = 2) -> float:
    """What the best plan costs, by trying all plans with at most so many nodes of a pool."""
    counts, costs = np.zeros((1, problem.option_pool.size), np.int64), np.zeros(1)
    for pool in range(problem.pool_nodes.size):
        more, price = _ways(problem, pool, min(most_nodes, int(problem.pool_nodes[pool])))
        counts = (counts[:, np.newaxis] + more).reshape(-1, counts.shape[1])
        costs = (costs[:, np.newaxis] + price).reshape(-1)
    costs = costs + counts @ problem.option_price
    for model in range(problem.first_option.size - 1):
        bought = counts[:, problem.first_option[model] : problem.first_option[model + 1]]
        rows, row = np.unique(bought, axis=0, return_inverse=True)
        costs += np.array([model_cost(problem, model, one) for one in rows])[row.reshape(-1)]
    return float(costs.min())


def model_cost(problem: PackedProblem, model: int, counts: Ints) -> float:
    """What a model costs with so many instances of each of its options, but for their own prices."""
    first = first_subsets(problem)
    asked = subset_urps(problem)[first[model] : first[model + 1]]
    options = slice(problem.first_option[model], problem.first_option[model + 1])
    offered = np.zeros_like(asked)
    for subset in range(asked.size):
        reached = problem.option_reach[options] & subset != 0
        offered[subset] = (counts * problem.option_urps[options])[reached].sum()
    worth = problem.demand_worth[problem.first_demand[model] : problem.first_demand[model + 1]]
    started = np.bincount(problem.option_pair[options], counts, problem.pair_running.size) - problem.pair_running
    worst = np.empty_like(asked)
    worsen(asked - offered, worst)
    return float(cost_missing(worst, worth) + problem.start_price * np.maximum(0, started).sum())


def _ways(problem: PackedProblem, pool: int, nodes: int) -> tuple[Ints, Floats]:
    """What nodes of the pool can hold altogether, and the price of the fewest nodes that do."""
    fewest: dict[tuple[int, ...], int] = {}
    for held in combinations_with_replacement(list(_contents(problem, pool)), nodes):
        total = tuple(map(sum, zip(*held, strict=True))) if held else (0,) * problem.option_pool.size
        fewest[total] = min(fewest.get(total, nodes), sum(any(content) for content in held))
    return np.array(list(fewest)), problem.pool_price[pool] * np.array(list(fewest.values()))


def _contents(problem: PackedProblem, pool: int) -> Iterator[tuple[int, ...]]:
    ranges = [range(SLOTS + 1 if one == pool else 1) for one in problem.option_pool]
    for counts in product(*ranges):
        if (np.array(counts) @ problem.option_use <= problem.pool_capacity[pool]).all():
            yield counts
