"""The cheapest plan of one model at given prices, or a proven lower bound of what it costs.

Depth first: take a subset of the demands that still lacks something; either one of the items that reach it is bought
next, or none of them ever again. What a half-made plan costs at least is the larger of two bounds (`completion`,
`whole_instances`); from the first also follows which single items are too dear to be part of a better plan. An item
that was tried is not tried again beside those that come after it, so no set of instances is looked at twice.

The search may stop at any moment: everything that it has not looked into is bounded.
"""

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.completion import (
    Items,
    owed,
    price_demands,
    shortfalls,
    unserved_cost,
)
from controller.planning.fleet.node_contents import Flags
from controller.planning.fleet.packed import Floats, Ints
from controller.planning.fleet.search_desk import Desk
from controller.planning.fleet.whole_instances import in_whole, tabulate


@compiled
def search(
    items: Items, count: int, worth: Floats, asked: Ints, desk: Desk, best: float, slack: float, most: int
) -> tuple[float, float, int]:
    """A proven bound, the cost of the best plan, and its length, -1 where none is cheaper than `best`.

    Plans that are cheaper by less than `slack` are not looked for; at most `most` half-made plans are looked at, or
    as many as the first whole plan takes.
    """
    lowest, length, looked, depth, dived = np.inf, -1, 0, 0, False
    _begin(items, count, worth, asked, desk)
    while depth >= 0:
        looked += 1
        gap, short = desk.gap[depth, : asked.size], desk.short[: asked.size]
        shortfalls(gap, short)
        cost = desk.spent[depth] + unserved_cost(worth, short)
        if cost < best:
            best, length = cost, depth
            desk.best[:depth] = desk.path[:depth]
        desk.queued[depth] = 0
        desk.tried[depth] = 0
        cut = best - slack
        _weigh(items, count, worth, asked, desk, depth, cut)
        if desk.bound[depth] >= cut:
            lowest, dived = min(lowest, desk.bound[depth]), True
        elif looked >= most and dived:
            lowest = min(lowest, desk.bound[depth])
            break
        else:
            lowest = min(lowest, _close(count, desk, depth, cut))
            _queue(items, count, worth.size, gap, desk, depth)
        depth, lowest = _advance(items, asked.size, desk, depth, cut, lowest)
    return min(best, _unwind(items, desk, depth, lowest)), best, length


@compiled
def _begin(items: Items, count: int, worth: Floats, asked: Ints, desk: Desk) -> None:
    """The empty plan, and the prices and tables that hold for all plans."""
    prices, order = desk.root_prices[: worth.size], desk.root_order[: worth.size]
    desk.gap[0, : asked.size] = asked
    desk.usable[0, :count] = True
    desk.spent[0] = 0.0
    price_demands(items, desk.usable[0, :count], worth, asked, prices, order, desk.takes)
    tabulate(items, count, worth, asked, asked, prices, order, desk.least)


@compiled
def _weigh(items: Items, count: int, worth: Floats, asked: Ints, desk: Desk, depth: int, cut: float) -> None:
    """What going on costs at least, and what each item costs beyond what it can collect."""
    short, prices, order = desk.short[: asked.size], desk.prices[: worth.size], desk.order[: worth.size]
    usable = desk.usable[depth, :count]
    for item in range(count):
        if items.stock[item] >= 0 and desk.left[items.stock[item]] <= 0:
            usable[item] = False
    price_demands(items, usable, worth, short, prices, order, desk.takes)
    for item in range(count):
        desk.excess[depth, item] = max(0.0, items.cost[item] - desk.takes[item])
    desk.base[depth] = desk.spent[depth] + owed(prices, order, short)
    desk.bound[depth] = desk.base[depth]
    if desk.bound[depth] < cut:
        prices, order = desk.root_prices[: worth.size], desk.root_order[: worth.size]
        covered = desk.spent[depth] + in_whole(short, asked, prices, order, desk.least)
        desk.bound[depth] = max(desk.bound[depth], covered)


@compiled
def _close(count: int, desk: Desk, depth: int, cut: float) -> float:
    """Close what is too dear to be part of a better plan; the least that a plan with any of it costs."""
    lowest = np.inf
    for item in range(count):
        if desk.usable[depth, item] and desk.base[depth] + desk.excess[depth, item] >= cut:
            desk.usable[depth, item] = False
            lowest = min(lowest, desk.base[depth] + desk.excess[depth, item])
    return lowest


@compiled
def _queue(items: Items, count: int, demands: int, gap: Ints, desk: Desk, depth: int) -> None:
    """Choose the subset in question, the one demand that fewest items reach if there is one, and order its items."""
    usable, fewest, subset = desk.usable[depth], count + 1, 0
    for demand in range(demands):
        if gap[1 << demand] > 0:
            reaching = _reaching(items, count, usable, 1 << demand)
            if 0 < reaching < fewest:
                fewest, subset = reaching, 1 << demand
    if subset == 0:
        for lacking in range(1, gap.size):
            if gap[lacking] > 0 and _reaching(items, count, usable, lacking) > 0:
                subset = lacking
                break
    for item in range(count):
        if usable[item] and items.reach[item] & subset:
            at = desk.queued[depth]
            while at > 0 and desk.excess[depth, desk.queue[depth, at - 1]] > desk.excess[depth, item]:
                desk.queue[depth, at] = desk.queue[depth, at - 1]
                at -= 1
            desk.queue[depth, at] = item
            desk.queued[depth] += 1


@compiled
def _reaching(items: Items, count: int, usable: Flags, subset: int) -> int:
    reaching = 0
    for item in range(count):
        if usable[item] and items.reach[item] & subset:
            reaching += 1
    return reaching


@compiled
def _advance(items: Items, subsets: int, desk: Desk, depth: int, cut: float, lowest: float) -> tuple[int, float]:
    """The depth at which to look next, -1 when nothing is left to look into."""
    while depth >= 0:
        while desk.tried[depth] < desk.queued[depth]:
            item = desk.queue[depth, desk.tried[depth]]
            desk.tried[depth] += 1
            least = desk.base[depth] + desk.excess[depth, item]
            if least < cut and depth + 1 < desk.spent.size:
                _buy(items, subsets, desk, depth, item)
                return depth + 1, lowest
            lowest = min(lowest, least)
            desk.usable[depth, item] = False
        if desk.queued[depth] > 0:
            return depth, lowest
        depth -= 1
        if depth >= 0 and items.stock[desk.path[depth]] >= 0:
            desk.left[items.stock[desk.path[depth]]] += 1
    return depth, lowest


@compiled
def _buy(items: Items, subsets: int, desk: Desk, depth: int, item: int) -> None:
    """One more instance; beside what is tried after it, it is not tried again."""
    for subset in range(subsets):
        gives = items.urps[item] if subset & items.reach[item] else 0
        desk.gap[depth + 1, subset] = desk.gap[depth, subset] - gives
    desk.usable[depth + 1] = desk.usable[depth]
    desk.usable[depth, item] = False
    desk.spent[depth + 1] = desk.spent[depth] + items.cost[item]
    desk.path[depth] = item
    if items.stock[item] >= 0:
        desk.left[items.stock[item]] -= 1


@compiled
def _unwind(items: Items, desk: Desk, depth: int, lowest: float) -> float:
    """The bound with what was not looked into, which is nothing at depth -1; stocks are as before the search."""
    for level in range(depth):
        lowest = min(lowest, desk.bound[level])
        if items.stock[desk.path[level]] >= 0:
            desk.left[items.stock[desk.path[level]]] += 1
    return lowest
