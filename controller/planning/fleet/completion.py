"""What a half-made plan of one model still costs at least.

Give each demand d a price y_d for a micro-request a second, at most its worth, such that no further instance collects
more than it costs. Then whatever completes the plan costs at least what the unserved requests are priced at. In the
terms of `covering`, with short(T) the largest shortfall within T, what an instance of capacity q with reach r can still
serve of a set A within r is at most min(q, e(A)), e(A) = short(all) - short(all without A). With the demands in order
of price, P_k the first k of them:

    owed        = sum over k of (y_k - y_k+1) * short(P_k)
    collected_i = sum over k of (y_k - y_k+1) * min(q_i, e(P_k within r_i))      must be <= cost_i

One more instance lowers `owed` by at most what it collects, because short is supermodular, and e falls as instances are
added, because what a set of instances serves is submodular. So prices that hold now hold for all that follows.
"""

from typing import NamedTuple

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.node_contents import Flags
from controller.planning.fleet.packed import Floats, Ints


class Items(NamedTuple):
    """What a model can be served by at given prices, the cheapest first."""

    cost: Floats
    reach: Ints
    urps: Ints
    stock: Ints
    """How often it can be had, by the number of a stock; -1: as often as one likes."""
    option: Ints


@compiled
def shortfalls(gap: Ints, short: Ints) -> None:
    """The largest gap within each subset, at least 0."""
    for subset in range(gap.size):
        short[subset] = max(0, gap[subset])
    bit = 1
    while bit < gap.size:
        for subset in range(gap.size):
            if subset & bit:
                short[subset] = max(short[subset], short[subset ^ bit])
        bit *= 2


@compiled
def owed(prices: Floats, order: Ints, short: Ints) -> float:
    """What the shortfall costs at these prices, the dearest demand served first."""
    total, subset, before = 0.0, 0, 0
    for demand in order:
        subset |= 1 << demand
        total += prices[demand] * (short[subset] - before)
        before = short[subset]
    return total


@compiled
def collected(reach: int, urps: int, prices: Floats, order: Ints, short: Ints) -> float:
    """The most that one more instance can collect."""
    every = short.size - 1
    total, subset, before = 0.0, 0, 0
    for demand in order:
        if reach >> demand & 1:
            subset |= 1 << demand
            served = min(urps, short[every] - short[every ^ subset])
            total += prices[demand] * (served - before)
            before = served
    return total


@compiled
def sort_by_price(prices: Floats, order: Ints) -> None:
    """The demands, the dearest first."""
    for place in range(order.size):
        demand, at = place, place
        while at > 0 and prices[order[at - 1]] < prices[demand]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = demand


@compiled
def price_demands(
    items: Items, usable: Flags, worth: Floats, short: Ints, prices: Floats, order: Ints, takes: Floats
) -> None:
    """Prices that no usable item breaks, their order, and what each item collects; items that serve nothing close."""
    every = short.size - 1
    prices[:] = worth
    for item in range(usable.size):
        if usable[item]:
            serves = min(items.urps[item], short[every] - short[every & ~items.reach[item]])
            if serves <= 0:
                usable[item] = False
                continue
            for demand in range(worth.size):
                if items.reach[item] >> demand & 1:
                    prices[demand] = min(prices[demand], items.cost[item] / serves)
    _collect(items, usable, prices, order, short, takes)
    _raise(items, usable, worth, short, prices, takes)
    _collect(items, usable, prices, order, short, takes)


@compiled
def _collect(items: Items, usable: Flags, prices: Floats, order: Ints, short: Ints, takes: Floats) -> None:
    sort_by_price(prices, order)
    for item in range(usable.size):
        if usable[item]:
            takes[item] = collected(items.reach[item], items.urps[item], prices, order, short)


@compiled
def _raise(items: Items, usable: Flags, worth: Floats, short: Ints, prices: Floats, takes: Floats) -> None:
    """Raise one price after the other as far as no item collects more than it costs."""
    every = short.size - 1
    for demand in range(worth.size):
        most = short[every] - short[every ^ (1 << demand)]
        if most <= 0:
            continue
        step = worth[demand] - prices[demand]
        for item in range(usable.size):
            if usable[item] and items.reach[item] >> demand & 1:
                step = min(step, (items.cost[item] - takes[item]) / min(items.urps[item], most))
        if step <= 0:
            continue
        prices[demand] += step
        for item in range(usable.size):
            if usable[item] and items.reach[item] >> demand & 1:
                takes[item] += step * min(items.urps[item], most)


@compiled
def unserved_cost(worth: Floats, short: Ints) -> float:
    """What it costs to leave all of the shortfall unserved; demands stand in order of worth."""
    total, subset, before = 0.0, 0, 0
    for demand in range(worth.size):
        subset |= 1 << demand
        total += worth[demand] * (short[subset] - before)
        before = short[subset]
    return total


def no_items(most: int) -> Items:
    """Room for so many items."""
    numbers = np.zeros(most, np.int64)
    return Items(np.zeros(most), numbers, numbers.copy(), numbers.copy(), numbers.copy())
