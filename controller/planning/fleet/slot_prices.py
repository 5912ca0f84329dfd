"""Prices of room on the nodes of each pool, by size: what nodes collect at them."""

from typing import NamedTuple

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.node_contents import Sizes
from controller.planning.fleet.packed import Floats, Ints, PackedProblem


class Nodes(NamedTuple):
    """P pools with Z sizes and N contents (`node_contents`), as the loops below read them."""

    number: Ints
    """[P]"""
    price: Floats
    """[P]"""
    first_size: Ints
    first_content: Ints
    content: Ints


def nodes(problem: PackedProblem, sizes: Sizes) -> Nodes:
    """The pools of the problem."""
    return Nodes(problem.pool_nodes, problem.pool_price, sizes.first_size, sizes.first_content, sizes.content)


def pool_of_sizes(nodes: Nodes) -> Ints:
    """The pool of each size."""
    return np.repeat(np.arange(nodes.number.size), np.diff(nodes.first_size))


def shares(problem: PackedProblem, sizes: Sizes) -> Floats:
    """[Z, R]: what an instance takes of its node, as a share of what the node has."""
    pool = np.repeat(np.arange(problem.pool_nodes.size), np.diff(sizes.first_size))
    share: Floats = sizes.use / np.maximum(problem.pool_capacity[pool], 1)
    return share


@compiled
def gains(prices: Floats, nodes: Nodes) -> float:
    """What all nodes can collect beyond their own prices, which the bound must do without."""
    total = 0.0
    for pool in range(nodes.number.size):
        total += nodes.number[pool] * max(0.0, _collects(prices, nodes, pool) - nodes.price[pool])
    return total


@compiled
def _collects(prices: Floats, nodes: Nodes, pool: int) -> float:
    """The most that a node of the pool can collect."""
    first, most = nodes.first_size[pool], 0.0
    for content in range(nodes.first_content[pool], nodes.first_content[pool + 1]):
        total = 0.0
        for size in range(first, nodes.first_size[pool + 1]):
            total += nodes.content[content, size - first] * prices[size]
        most = max(most, total)
    return most
