"""What covering a gap by whole instances costs at least, looking at one subset of the demands at a time.

Whatever serves any of a subset counts for it, with as much as it can serve of it, so this is a knapsack problem a
subset, solved for gaps of 1 to CELLS parts of what the subset asks for: gaps are rounded down to parts, instances up.
It knows what prices by the request do not: that three and a half instances are four.
"""

from typing import Final

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.completion import Items
from controller.planning.fleet.packed import Floats, Ints

CELLS: Final = 48


@compiled
def cover_whole(items: Items, count: int, worth: Floats, asked: Ints, least: Floats) -> None:
    """Fill `least[subset, cells]`, in dollars an hour."""
    cost_of = np.empty(CELLS + 1)
    for subset in range(asked.size):
        total, cheapest = asked[subset], np.inf
        for demand in range(worth.size):
            if subset >> demand & 1:
                cheapest = min(cheapest, worth[demand])
        for cells in range(CELLS + 1):
            least[subset, cells] = cheapest * (total * (cells / CELLS)) if total > 0 else 0.0
        if total > 0:
            _cheapest_by_cells(items, count, subset, asked, cost_of)
            _combine(cost_of, least[subset])


@compiled
def _cheapest_by_cells(items: Items, count: int, subset: int, asked: Ints, cost_of: Floats) -> None:
    """What an instance costs that covers so many cells, of those that no cheaper one covers."""
    cost_of[:] = np.inf
    total = asked[subset]
    for item in range(count):
        serves = min(items.urps[item], asked[items.reach[item] & subset])
        cells = (serves * CELLS + total - 1) // total
        cost_of[cells] = min(cost_of[cells], items.cost[item])
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
def whole(gap: Ints, asked: Ints, least: Floats) -> float:
    """The most that any subset shows the gap to cost."""
    most = 0.0
    for subset in range(1, gap.size):
        if gap[subset] > 0:
            most = max(most, least[subset, gap[subset] * CELLS // asked[subset]])
    return most
