"""What completing a model's plan costs at least, as far as whole instances must cover what one subset still lacks.

Prices by the request do not know that three and a half instances are four. So keep the prices of `completion` for the
demands outside a subset T, and let each item cover T for what is left of its cost:

    still to pay >= owed at the prices outside T + the cheapest way to cover short(T) by whole items,
                    each at cost_i - collected_i outside T, whatever reaches any of T counting for all that it can serve

The second part is a knapsack problem, solved for 1 to CELLS parts of what T asks for: what is lacking is rounded down
to parts, items up. The prices are those of the empty plan, which hold for all plans, so each table is made once.
"""

from typing import Final

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.completion import Items, collected
from controller.planning.fleet.packed import Floats, Ints

CELLS: Final = 48


@compiled
def tabulate(
    items: Items, count: int, worth: Floats, asked: Ints, short: Ints, prices: Floats, order: Ints, least: Floats
) -> None:
    """Fill `least[subset, cells]`, dollars an hour, with the prices and shortfalls of the empty plan."""
    cost_of = np.empty(CELLS + 1)
    for subset in range(1, asked.size):
        total, cheapest = asked[subset], np.inf
        for demand in range(worth.size):
            if subset >> demand & 1:
                cheapest = min(cheapest, worth[demand])
        if total > 0:
            for cells in range(CELLS + 1):
                least[subset, cells] = cheapest * (total * (cells / CELLS))
            _cheapest_by_cells(items, count, subset, asked, short, prices, order, cost_of)
            _combine(cost_of, least[subset])


@compiled
def _cheapest_by_cells(
    items: Items, count: int, subset: int, asked: Ints, short: Ints, prices: Floats, order: Ints, cost_of: Floats
) -> None:
    """What is left to pay for an item that covers so many cells, of those that no cheaper one covers."""
    cost_of[:] = np.inf
    total = asked[subset]
    for item in range(count):
        reach, urps = items.reach[item], items.urps[item]
        serves = min(urps, asked[reach & subset])
        if serves > 0:
            cells = (serves * CELLS + total - 1) // total
            left = items.cost[item] - collected(reach & ~subset, urps, prices, order, short)
            cost_of[cells] = min(cost_of[cells], max(0.0, left))
    cheapest = np.inf
    for cells in range(CELLS, 0, -1):
        if cost_of[cells] < cheapest:
            cheapest = cost_of[cells]
        else:
            cost_of[cells] = np.inf


@compiled
def _combine(cost_of: Floats, least: Floats) -> None:
    """As many instances of each as are worth it, beside what stays unserved."""
    for covers in range(1, CELLS + 1):
        if cost_of[covers] < np.inf:
            for cells in range(1, CELLS + 1):
                least[cells] = min(least[cells], cost_of[covers] + least[max(0, cells - covers)])


@compiled
def in_whole(short: Ints, asked: Ints, prices: Floats, order: Ints, least: Floats) -> float:
    """The most that any subset shows a shortfall to cost."""
    most = 0.0
    for subset in range(1, short.size):
        if short[subset] > 0:
            covered = least[subset, short[subset] * CELLS // asked[subset]]
            most = max(most, covered + _owed_outside(prices, order, short, subset))
    return most


@compiled
def _owed_outside(prices: Floats, order: Ints, short: Ints, left_out: int) -> float:
    total, subset, before = 0.0, 0, 0
    for demand in order:
        if not left_out >> demand & 1:
            subset |= 1 << demand
            total += prices[demand] * (short[subset] - before)
            before = short[subset]
    return total
