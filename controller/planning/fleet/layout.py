"""What follows from a packed problem and never changes while a plan for it is sought."""

from typing import NamedTuple

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.packed import Floats, Ints, PackedProblem, first_nodes
from controller.planning.fleet.subsets import first_subsets, subset_urps


class Layout(NamedTuple):
    """N nodes, S subsets of demands; the rest as in PackedProblem."""

    first_node: Ints
    """[P + 1]"""
    node_pool: Ints
    """[N]"""
    option_model: Ints
    """[O]"""
    unit_part: Floats
    """[P, R]: which part of a node one unit of a resource is."""
    least_use: Ints
    """[P, R]: a node with less room than this is full."""
    option_share: Floats
    """[O]: about which part of a node an instance takes."""
    share_price: Floats
    """[O]: that part of the node's price."""
    rest_price: Floats
    """[O]: what is left of the node's price."""
    by_pool: Ints
    """[O]: the options, those of a pool together."""
    first_by_pool: Ints
    """[P + 1]: where those of each pool begin."""
    first_subset: Ints
    """[M + 1]"""
    asked: Ints
    """[S]: what each subset of a model's demands asks for."""
    least_worth: Floats
    """[M]: what it costs at least not to serve one urps of a model."""


def layout(problem: PackedProblem) -> Layout:
    """What follows from a problem."""
    pools = np.arange(problem.pool_nodes.size)
    unit_part = 1 / np.maximum(problem.pool_capacity, 1)
    share = _shares(problem.option_pool, problem.option_use, unit_part)
    price = problem.pool_price[problem.option_pool]
    first_by_pool = np.concatenate(([0], np.cumsum(np.bincount(problem.option_pool, minlength=pools.size))))
    return Layout(
        first_nodes(problem),
        np.repeat(pools, problem.pool_nodes),
        np.repeat(np.arange(problem.first_option.size - 1), np.diff(problem.first_option)),
        unit_part,
        _least_use(problem.option_pool, problem.option_use, pools.size),
        share,
        share * price,
        np.maximum(0.0, 1 - share) * price,
        _by_pool(problem.option_pool, first_by_pool),
        first_by_pool,
        first_subsets(problem),
        subset_urps(problem),
        _least_worth(problem),
    )


@compiled
def _shares(option_pool: Ints, option_use: Ints, unit_part: Floats) -> Floats:
    """[O]: the mean of the largest part and the mean part that an instance takes of its node's resources."""
    share, resources = np.zeros(option_pool.size), option_use.shape[1]
    for option in range(option_pool.size):
        largest, total = 0.0, 0.0
        for resource in range(resources):
            part = option_use[option, resource] * unit_part[option_pool[option], resource]
            largest, total = max(largest, part), total + part
        share[option] = (largest + total / resources) / 2
    return share


@compiled
def _least_use(option_pool: Ints, option_use: Ints, pools: int) -> Ints:
    least = np.full((pools, option_use.shape[1]), np.iinfo(np.int64).max)
    for option in range(option_pool.size):
        for resource in range(option_use.shape[1]):
            least[option_pool[option], resource] = min(
                least[option_pool[option], resource], option_use[option, resource]
            )
    return least


@compiled
def _by_pool(option_pool: Ints, first: Ints) -> Ints:
    """The options, those of each pool from its number in `first` on."""
    following, order = first.copy(), np.empty(option_pool.size, np.int64)
    for option in range(option_pool.size):
        order[following[option_pool[option]]] = option
        following[option_pool[option]] += 1
    return order


def _least_worth(problem: PackedProblem) -> Floats:
    last = problem.first_demand[1:] - 1
    return np.where(np.diff(problem.first_demand) > 0, np.append(problem.demand_worth, 0.0)[last], 0.0)
