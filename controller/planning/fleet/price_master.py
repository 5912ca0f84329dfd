"""The prices of room that are best for all plans of models seen so far: a linear programme.

The bound is concave in the prices, and each plan of a model that was the cheapest at some prices cuts off what it
cannot reach (Kelley 1960). Going by the cuts alone is jumping about, so the prices stay within a box around the best so
far (Marsten, Hogan and Blankenship 1975). What is chosen are numbers from which the prices follow: first one for each
kind of size, which has one proportion to a node's price on all pools, so that there are some dozens of them; then one
for each pool, since some are scarcer than others; then one for each size of each pool.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack, vstack

from controller.planning.fleet.model_minima import Minima
from controller.planning.fleet.node_contents import Sizes
from controller.planning.fleet.offers import Offers
from controller.planning.fleet.packed import Floats, Ints, PackedProblem
from controller.planning.fleet.slot_prices import Nodes, pool_of_sizes, shares


class Plans:
    """Whole plans of models: what each costs without room, and how many instances of each size it has."""

    def __init__(self, sizes: int) -> None:
        self._sizes = sizes
        self._seen = set[tuple[int, bytes]]()
        self._size = list[Ints]()
        self.model = list[int]()
        self.cost = list[float]()

    def add(self, minima: Minima, offers: Offers, prices: Floats) -> None:
        """Take in the plans that were found at these prices, but for those that are known."""
        for model, length in enumerate(minima.length):
            size = np.sort(offers.size[minima.plan[model, :length]])
            key = (model, size.tobytes())
            if key not in self._seen:
                self._seen.add(key)
                self._size.append(size)
                self.model.append(model)
                self.cost.append(float(minima.cost[model] - prices[size].sum()))

    def instances(self) -> csr_array:
        """How many instances of each size each plan has: [plans, Z]."""
        plan = np.repeat(np.arange(len(self._size)), [size.size for size in self._size])
        size = np.concatenate(self._size) if self._size else np.empty(0, np.int64)
        return csr_array((np.ones(size.size), (plan, size)), shape=(len(self._size), self._sizes))


class Master(NamedTuple):
    """What the linear programme may choose: G numbers, from which the prices follow."""

    prices: csr_array
    """[Z, G]"""
    scale: Floats
    """[G]: what a number may change by in a box of width 1."""
    collects: csr_array
    """[rows, G]: what nodes of each content collect."""
    limit: Floats
    """[rows]: what they may collect."""
    excess: csr_array
    """[rows, pools]: -1 at the pool whose nodes may collect more than that, at what it costs for each of its nodes."""
    nodes: Ints
    """[pools]"""


def _contents(nodes: Nodes) -> tuple[csr_array, Ints]:
    """[N, Z] and [N]: the instances of each content, and its pool."""
    pool = np.repeat(np.arange(nodes.number.size), np.diff(nodes.first_content))
    row, column = np.nonzero(nodes.content)
    size = nodes.first_size[pool[row]] + column
    shape = (pool.size, int(nodes.first_size[-1]))
    return csr_array((nodes.content[row, column].astype(np.float64), (row, size)), shape=shape), pool


def by_kind(problem: PackedProblem, sizes: Sizes, nodes: Nodes) -> tuple[Master, Iterator[Floats]]:
    """One number for all sizes that take the same of equal nodes, in parts of a node's price; free nodes stay free.

    Also numbers to start from, at which no node collects more than it costs: the share that an instance takes of one
    resource, for each in turn, and the mean of these shares.
    """
    pool_of_size, (content, pool) = pool_of_sizes(nodes), _contents(nodes)
    kinds = np.concatenate((problem.pool_capacity[pool_of_size], sizes.use), axis=1)
    _, first, kind = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
    places = (np.arange(kind.size), kind.reshape(-1))
    prices = csr_array((nodes.price[pool_of_size], places), shape=(kind.size, first.size))
    paid = np.flatnonzero(nodes.price[pool] > 0)
    collects = (content[paid] @ prices).toarray() / nodes.price[pool[paid], np.newaxis]
    rows = np.unique(collects.round(9), axis=0)
    none = csr_array((len(rows), 0))
    share = shares(problem, sizes)[first]
    starts = (*share.T, share.mean(axis=1))
    master = Master(prices, np.ones(first.size), csr_array(rows), np.ones(len(rows)), none, np.empty(0, np.int64))
    return master, iter(starts)


def by_pool(nodes: Nodes, prices: Floats) -> Master:
    """One number for each pool, which these prices of its sizes are multiplied by."""
    content, pool = _contents(nodes)
    places = (np.arange(prices.size), pool_of_sizes(nodes))
    multiplied = csr_array((prices, places), shape=(prices.size, nodes.number.size))
    scale = np.ones(nodes.number.size)
    return Master(multiplied, scale, content @ multiplied, nodes.price[pool], _excess(pool, nodes), nodes.number)


def by_size(problem: PackedProblem, sizes: Sizes, nodes: Nodes) -> Master:
    """A number for each size of each pool: its price. What is almost free may change as if it cost a tenth of usual."""
    content, pool = _contents(nodes)
    usual = nodes.price.mean() if nodes.price.size else 0.0
    scale = np.maximum(nodes.price, usual / 10)[pool_of_sizes(nodes)] * shares(problem, sizes).mean(axis=1)
    one_each = csr_array(eye_array(scale.size))
    return Master(one_each, scale, content, nodes.price[pool], _excess(pool, nodes), nodes.number)


def _excess(pool: Ints, nodes: Nodes) -> csr_array:
    return csr_array((-np.ones(pool.size), (np.arange(pool.size), pool)), shape=(pool.size, nodes.number.size))


def best_numbers(master: Master, plans: Plans, models: int, centre: Floats, box: float) -> tuple[Floats, float]:
    """The numbers within the box that are best for all these plans, and the bound that they would give.

    The unknowns are the least cost of each model, the numbers, and what nodes of each pool collect beyond their price.
    """
    from scipy.optimize import linprog  # noqa: PLC0415 - half a second that a controller's start has no use for

    near = np.flatnonzero(master.collects @ (centre + box * master.scale) >= master.limit)
    known, pools = len(plans.cost), master.nodes.size
    least = csr_array((np.ones(known), (np.arange(known), plans.model)), shape=(known, models))
    rows = vstack(
        (
            hstack((least, -(plans.instances() @ master.prices), csr_array((known, pools)))),
            hstack((csr_array((near.size, models)), master.collects[near], master.excess[near])),
        )
    )
    free = np.full(models, np.inf)
    lower = np.concatenate((-free, np.maximum(0.0, centre - box * master.scale), np.zeros(pools)))
    upper = np.concatenate((free, centre + box * master.scale, np.full(pools, np.inf)))
    worth = np.concatenate((-np.ones(models), np.zeros(centre.size), master.nodes))
    limit = np.concatenate((plans.cost, master.limit[near]))
    found = linprog(worth, A_ub=rows.tocsr(), b_ub=limit, bounds=np.stack((lower, upper), axis=1), method="highs")
    if found.x is None:
        return centre, 0.0
    return np.maximum(0.0, found.x[models : models + centre.size]), -float(found.fun)
