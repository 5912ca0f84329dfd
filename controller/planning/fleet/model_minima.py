"""What the plan of each model costs at least when room on nodes has a price: the models' half of the bound."""

from typing import NamedTuple

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.completion import Items, no_items, shortfalls, unserved_cost
from controller.planning.fleet.model_search import search
from controller.planning.fleet.offers import Offers
from controller.planning.fleet.packed import Floats, Ints
from controller.planning.fleet.search_desk import DEPTH, Desk, desk


class Minima(NamedTuple):
    """What was found last, for each model."""

    lower: Floats
    """[M]: proven."""
    cost: Floats
    """[M]: of the plan."""
    plan: Ints
    """[M, DEPTH]: usable options, one for each instance."""
    length: Ints
    """[M]: instances of the plan."""


class Room(NamedTuple):
    """What the searches write on: one search at a time."""

    desk: Desk
    items: Items
    found: Items
    """All that a model is offered, before what others are better than is left out."""


def nothing_planned(offers: Offers) -> Minima:
    """Plans without an instance."""
    models = offers.first.size - 1
    return Minima(np.zeros(models), np.zeros(models), np.zeros((models, DEPTH), np.int64), np.zeros(models, np.int64))


def room(offers: Offers) -> Room:
    """Enough for the largest of the models."""
    demands = int(np.diff(offers.first_demand).max(initial=1))
    bounds = np.concatenate(([0], np.cumsum(offers.stock >= 0)))[offers.first]
    items = int((np.diff(offers.first_kind) + np.diff(bounds)).max(initial=1))
    return Room(desk(demands, items, offers.running), no_items(items), no_items(items))


@compiled
def find_minima(
    offers: Offers, cost: Floats, start: float, slack: float, most: Ints, room: Room, minima: Minima
) -> None:
    """Bound the cheapest plan of every model where a usable option costs `cost`, and a start comes on top.

    Plans that stand in `minima` are taken over where no plan is cheaper by more than `slack` times their cost. Of model
    m at most `most[m]` half-made plans are looked at, or as many as the first whole one takes.
    """
    for model in range(most.size):
        _find_minimum(offers, cost, start, slack, most[model], model, room, minima)


@compiled
def _find_minimum(
    offers: Offers, cost: Floats, start: float, slack: float, most: int, model: int, room: Room, minima: Minima
) -> None:
    worth = offers.worth[offers.first_demand[model] : offers.first_demand[model + 1]]
    asked = offers.asked[offers.first_subset[model] : offers.first_subset[model + 1]]
    count = _select(offers, model, cost, start, room.found, room.items)
    before = _cost_again(offers, model, cost, start, asked, worth, room.desk, minima)
    lower, best, length = search(room.items, count, worth, asked, room.desk, before, slack * before, most)
    minima.lower[model] = lower
    minima.cost[model] = best
    if length >= 0:
        minima.length[model] = length
        for instance in range(length):
            minima.plan[model, instance] = room.items.option[room.desk.best[instance]]


@compiled
def _cost_again(
    offers: Offers, model: int, cost: Floats, start: float, asked: Ints, worth: Floats, desk: Desk, minima: Minima
) -> float:
    """What the plan found last costs at these prices."""
    total, gap, short = 0.0, desk.gap[0, : asked.size], desk.short[: asked.size]
    gap[:] = asked
    plan = minima.plan[model, : minima.length[model]]
    for option in plan:
        stock, kind = offers.stock[option], offers.first_kind[model] + offers.kind[option]
        total += cost[option]
        if stock >= 0 and desk.left[stock] > 0:
            desk.left[stock] -= 1
        else:
            total += start
        for subset in range(asked.size):
            if subset & offers.kind_reach[kind]:
                gap[subset] -= offers.kind_urps[kind]
    for option in plan:
        if offers.stock[option] >= 0:
            desk.left[offers.stock[option]] = offers.running[offers.stock[option]]
    shortfalls(gap, short)
    return total + unserved_cost(worth, short)


@compiled
def _select(offers: Offers, model: int, cost: Floats, start: float, found: Items, items: Items) -> int:
    """Fill `items` with what no other item is better than; how many these are."""
    kinds = offers.first_kind[model + 1] - offers.first_kind[model]
    found.cost[:kinds] = np.inf
    count = kinds
    for option in range(offers.first[model], offers.first[model + 1]):
        kind = offers.kind[option]
        if cost[option] + start < found.cost[kind]:
            _note(offers, model, option, cost[option] + start, -1, found, kind)
        if offers.stock[option] >= 0:
            _note(offers, model, option, cost[option], offers.stock[option], found, count)
            count += 1
    kept = 0
    for item in np.argsort(found.cost[:count], kind="mergesort"):
        if not _is_beaten(found, item, items, kept):
            items.cost[kept] = found.cost[item]
            items.reach[kept] = found.reach[item]
            items.urps[kept] = found.urps[item]
            items.stock[kept] = found.stock[item]
            items.option[kept] = found.option[item]
            kept += 1
    return kept


@compiled
def _note(offers: Offers, model: int, option: int, cost: float, stock: int, found: Items, at: int) -> None:
    kind = offers.first_kind[model] + offers.kind[option]
    found.cost[at] = cost
    found.reach[at] = offers.kind_reach[kind]
    found.urps[at] = offers.kind_urps[kind]
    found.stock[at] = stock
    found.option[at] = option


@compiled
def _is_beaten(found: Items, item: int, items: Items, kept: int) -> bool:
    """Whether something at least as cheap, to be had whenever this is, reaches and answers at least as much."""
    reach, urps, stock = found.reach[item], found.urps[item], found.stock[item]
    for other in range(kept):
        always = items.stock[other] < 0 or items.stock[other] == stock
        if always and items.urps[other] >= urps and (items.reach[other] & reach) == reach:
            return True
    return False
