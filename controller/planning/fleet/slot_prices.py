"""Prices of room on the nodes of each pool, by size: where they start, what a node collects, what nodes would supply."""

from typing import Final, NamedTuple

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.node_contents import Sizes
from controller.planning.fleet.packed import Floats, Ints, PackedProblem

NEAR: Final = 0.02
"""Of a pool's price: contents that collect this much less than the best are taken for as good when demand is matched."""
SWEEPS: Final = 12
"""Over the contents of a pool when demand is matched."""


class Nodes(NamedTuple):
    """The pools, as the loops below read them."""

    count: Ints
    """[P]"""
    price: Floats
    """[P]"""
    first_size: Ints
    first_content: Ints
    content: Ints


def nodes(problem: PackedProblem, sizes: Sizes) -> Nodes:
    """The pools of the problem."""
    return Nodes(problem.pool_nodes, problem.pool_price, sizes.first_size, sizes.first_content, sizes.content)


def first_prices(problem: PackedProblem, sizes: Sizes) -> Floats:
    """[Z]: by the share of a node that an instance takes, such that a full node collects what it costs.

    Resources count by how large their shares are on average: what limits most sizes counts most. A free pool is
    priced as if it cost a tenth of the average, so that it has a scale; `within` makes it free again.
    """
    prices = np.zeros(len(sizes.use))
    usual = float(problem.pool_price.mean()) if problem.pool_price.size else 0.0
    for pool, capacity in enumerate(problem.pool_capacity):
        here = slice(sizes.first_size[pool], sizes.first_size[pool + 1])
        share = sizes.use[here] / np.maximum(capacity, 1)
        if share.any():
            prices[here] = share @ (share.sum(axis=0) / share.sum())
            contents = sizes.content[sizes.first_content[pool] : sizes.first_content[pool + 1], : len(share)]
            prices[here] *= max(problem.pool_price[pool], usual / 10) / (contents @ prices[here]).max()
    return prices


@compiled
def collects(prices: Floats, nodes: Nodes, pool: int) -> float:
    """The most that a node of the pool can collect."""
    first, most = nodes.first_size[pool], 0.0
    for content in range(nodes.first_content[pool], nodes.first_content[pool + 1]):
        most = max(most, _worth(prices, nodes, content, first, nodes.first_size[pool + 1] - first))
    return most


@compiled
def _worth(prices: Floats, nodes: Nodes, content: int, first: int, sizes: int) -> float:
    total = 0.0
    for size in range(sizes):
        total += nodes.content[content, size] * prices[first + size]
    return total


@compiled
def gains(prices: Floats, nodes: Nodes) -> float:
    """What all nodes can collect beyond their own prices, which the bound must do without."""
    total = 0.0
    for pool in range(nodes.count.size):
        total += nodes.count[pool] * max(0.0, collects(prices, nodes, pool) - nodes.price[pool])
    return total


@compiled
def within(prices: Floats, nodes: Nodes, short: Floats) -> None:
    """Lower the prices of pools that have nodes to spare until no node collects more than it costs."""
    for pool in range(nodes.count.size):
        most = collects(prices, nodes, pool)
        if most > nodes.price[pool] and short[pool] <= 0:
            for size in range(nodes.first_size[pool], nodes.first_size[pool + 1]):
                prices[size] *= nodes.price[pool] / most


@compiled
def match(prices: Floats, scale: Floats, wanted: Floats, nodes: Nodes, supplied: Floats, short: Floats) -> None:
    """The instances of each size that nodes supply at these prices, as near to what is wanted as they can.

    `short` becomes 1 for pools that supply with all their nodes, else 0. Nodes that collect less than they cost supply
    nothing, nodes that collect more supply all; distances count by the square of `scale`.
    """
    for pool in range(nodes.count.size):
        first, last = nodes.first_size[pool], nodes.first_size[pool + 1]
        supplied[first:last] = 0.0
        most = collects(prices, nodes, pool)
        left = float(nodes.count[pool])
        if last > first and most >= nodes.price[pool] * (1 - NEAR) and left > 0:
            left = _fit(prices, scale, wanted, nodes, pool, most, supplied)
        short[pool] = 1.0 if left <= 0 else 0.0


@compiled
def _fit(
    prices: Floats, scale: Floats, wanted: Floats, nodes: Nodes, pool: int, most: float, supplied: Floats
) -> float:
    """Coordinate descent over how many nodes have which of the best contents; the nodes that are left."""
    first, last, start = nodes.first_size[pool], nodes.first_size[pool + 1], nodes.first_content[pool]
    used, left, best = np.zeros(nodes.first_content[pool + 1] - start), float(nodes.count[pool]), 0
    for _ in range(SWEEPS):
        for content in range(used.size):
            worth = _worth(prices, nodes, start + content, first, last - first)
            if worth >= most:
                best = content
            if worth >= most - NEAR * nodes.price[pool]:
                step = _step(scale, wanted, nodes, start + content, first, last, supplied)
                step = max(-used[content], min(left, step))
                _supply(nodes, start + content, first, last, step, supplied)
                used[content] += step
                left -= step
    if most > nodes.price[pool] * (1 + NEAR):
        _supply(nodes, start + best, first, last, left, supplied)
        left = 0.0
    return left


@compiled
def _step(scale: Floats, wanted: Floats, nodes: Nodes, content: int, first: int, last: int, supplied: Floats) -> float:
    """The nodes more with this content that bring what is supplied nearest to what is wanted."""
    along, square = 0.0, 0.0
    for size in range(first, last):
        weighs = scale[size] * scale[size] * nodes.content[content, size - first]
        along += weighs * (wanted[size] - supplied[size])
        square += weighs * nodes.content[content, size - first]
    return along / square if square > 0 else 0.0


@compiled
def _supply(nodes: Nodes, content: int, first: int, last: int, step: float, supplied: Floats) -> None:
    for size in range(first, last):
        supplied[size] += step * nodes.content[content, size - first]
