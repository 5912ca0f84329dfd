"""Serving a model again: place the instance that serves a request most cheaply, until no more pays; drop what is idle.

What an instance costs on its node is a guess while a plan grows: a node that is opened for one may be shared by others
later. So a try has a `Mood`: how much of a node that is opened its first instance pays, and whether room on a node
that is paid for counts as a gift or for its share. Tries in different moods find different plans.
"""

from typing import Final, NamedTuple

import numpy as np

from controller.compiled import allocation_free, inlined
from controller.planning.fleet.covering import cost_with, cost_without, lessen, served
from controller.planning.fleet.layout import Layout
from controller.planning.fleet.packed import Ints, PackedProblem
from controller.planning.fleet.ranking import LIKELY
from controller.planning.fleet.standing import NOWHERE, Standing, charge, has_room, place, remove, settle

WORTHLESS: Final = 1e-12
"""Dollars an hour that rounding may make of nothing."""
WIDE: Final = 96
"""So many others are looked at."""
SAME: Final = 1 + 1e-12


class Mood(NamedTuple):
    """Parts of a node's price, 0 to 1; `noise` is how far prices are misjudged at most."""

    opening: float
    """What a node's first instance pays of what is left of the price after its own share."""
    gift: float
    """What room on a node that is paid for costs less than its share."""
    lure: int
    """A pool where room costs less than its share also on a node that is opened; NOWHERE for none."""
    bonus: float
    """... by so much."""
    noise: float
    widely: bool
    """Whether to look beside the likely options at others, some that follow each other in the order."""


@allocation_free
def serve(
    problem: PackedProblem,
    fixed: Layout,
    at: Standing,
    order: Ints,
    model: int,
    mood: Mood,
    dice: np.random.Generator,
) -> None:
    """Place instances of a model until more would cost more than they serve, then drop those that serve nothing.

    What an option serves more, and what it costs, only gets worse while others are placed, but for options of a pool
    where a node was opened. So an option is judged only when it looks the cheapest (the lazy greedy of Minoux 1978),
    and looks as cheap at first as if the room that its pool has were enough.
    """
    first, last = problem.first_option[model], problem.first_option[model + 1]
    short = settle(problem, fixed, at, model)
    if short > 0 and last > first:
        looked = _looked_at(at, order[first:last], mood, dice)
        short = _serve_from(problem, fixed, at, at.looked[:looked], model, mood, dice)
        if short > 0 and looked < last - first:
            _serve_from(problem, fixed, at, order[first:last], model, mood, dice)
    _trim(problem, fixed, at, model)


@allocation_free
def _looked_at(at: Standing, order: Ints, mood: Mood, dice: np.random.Generator) -> int:
    """Write down the options to look at; how many there are."""
    likely = min(LIKELY, order.size)
    for which in range(likely):
        at.looked[which] = order[which]
    if not mood.widely:
        return likely
    wide = min(WIDE, order.size - likely)
    begin = likely + int((order.size - likely - wide + 1) * dice.random())
    for which in range(wide):
        at.looked[likely + which] = order[begin + which]
    return likely + wide


@allocation_free
def _serve_from(
    problem: PackedProblem,
    fixed: Layout,
    at: Standing,
    options: Ints,
    model: int,
    mood: Mood,
    dice: np.random.Generator,
) -> int:
    """Place instances of these options; the urps that are still short."""
    price, misjudged = at.price[: options.size], at.misjudged[: options.size]
    for which in range(options.size):
        misjudged[which] = 1 + mood.noise * dice.random()
        price[which] = _hoped(problem, fixed, at, options[which], model, mood, misjudged[which])
    worst = at.worst[fixed.first_subset[model] : fixed.first_subset[model + 1]]
    short = worst[worst.size - 1]
    while short > 0 and has_room(at):
        which = int(np.argmin(price))
        if price[which] == np.inf:
            break
        now, node = _judged(problem, fixed, at, options[which], model, mood, misjudged[which])
        if now > price[which] * SAME:
            price[which] = now
            continue
        opens = at.node_held[node] == 0
        place(problem, fixed, at, options[which], node)
        lessen(worst, problem.option_urps[options[which]], problem.option_reach[options[which]])
        short = charge(problem, fixed, at, model)
        pool = problem.option_pool[options[which]]
        for other in range(options.size if opens else 0):
            if problem.option_pool[options[other]] == pool:
                price[other] = _hoped(problem, fixed, at, options[other], model, mood, misjudged[other])
    return int(short)


@inlined
def _hoped(
    problem: PackedProblem, fixed: Layout, at: Standing, option: int, model: int, mood: Mood, misjudged: float
) -> float:
    """What one more served micro-request a second costs by this option at least, without looking for a node."""
    worst = at.worst[fixed.first_subset[model] : fixed.first_subset[model + 1]]
    more = served(worst, problem.option_urps[option], problem.option_reach[option])
    if more <= 0:
        return np.inf
    pool = problem.option_pool[option]
    opens = at.order.end_of_open[pool] == fixed.first_node[pool]
    return _price(problem, fixed, at, option, mood, opens) * misjudged / more


@inlined
def _judged(
    problem: PackedProblem, fixed: Layout, at: Standing, option: int, model: int, mood: Mood, misjudged: float
) -> tuple[float, int]:
    """What one more served micro-request a second costs by this option, and the node; infinite when it is no use."""
    worst = at.worst[fixed.first_subset[model] : fixed.first_subset[model + 1]]
    urps, reach = problem.option_urps[option], problem.option_reach[option]
    more = served(worst, urps, reach)
    if more <= 0:
        return np.inf, NOWHERE
    node = _room(problem, fixed, at, option)
    if node == NOWHERE:
        return np.inf, NOWHERE
    price = _price(problem, fixed, at, option, mood, at.node_held[node] == 0)
    if price >= fixed.least_worth[model] * more:
        worth = problem.demand_worth[problem.first_demand[model] : problem.first_demand[model + 1]]
        if price >= at.missed[model] - cost_with(worst, worth, urps, reach):
            return np.inf, NOWHERE
    return price * misjudged / more, node


@inlined
def _room(problem: PackedProblem, fixed: Layout, at: Standing, option: int) -> int:
    """The fullest node of the option's pool with room for it, or an empty one."""
    pool = problem.option_pool[option]
    order, node_room = at.order, at.node_room
    found, found_left = NOWHERE, np.inf
    for filed in range(fixed.first_node[pool], order.end_of_open[pool]):
        node = order.nodes[filed]
        left = 0.0
        for resource in range(node_room.shape[1]):
            over = node_room[node, resource] - problem.option_use[option, resource]
            left = left + over * fixed.unit_part[pool, resource] if over >= 0 else np.inf
        if left < found_left:
            found, found_left = node, left
    if found == NOWHERE:
        filed = order.end_of_used[pool]
        if filed < order.end[pool] and _fits_alone(problem, option, pool):
            found = order.nodes[filed]
    return found


@inlined
def _price(problem: PackedProblem, fixed: Layout, at: Standing, option: int, mood: Mood, opens: bool) -> float:
    """What an instance costs on a node that it opens, or on one that is used: there never more."""
    share, price, pair = fixed.share_price[option], problem.option_price[option], problem.option_pair[option]
    if problem.option_pool[option] == mood.lure:
        price += (1 - mood.bonus) * share
    elif opens:
        price += share + mood.opening * fixed.rest_price[option]
    else:
        price += (1 - mood.gift) * share
    if at.pair_held[pair] >= problem.pair_running[pair]:
        price += problem.start_price
    return float(price)


@inlined
def _fits_alone(problem: PackedProblem, option: int, pool: int) -> bool:
    fits = True
    for resource in range(problem.pool_capacity.shape[1]):
        fits = fits and problem.option_use[option, resource] <= problem.pool_capacity[pool, resource]
    return fits


@allocation_free
def _trim(problem: PackedProblem, fixed: Layout, at: Standing, model: int) -> None:
    """Remove instances that cost more than what they serve is worth."""
    gap = at.gap[fixed.first_subset[model] : fixed.first_subset[model + 1]]
    worth = problem.demand_worth[problem.first_demand[model] : problem.first_demand[model + 1]]
    for option in range(problem.first_option[model], problem.first_option[model + 1]):
        while at.held[option] > 0:
            cost = cost_without(gap, worth, problem.option_urps[option], problem.option_reach[option])
            dearer = cost - at.missed[model] + WORTHLESS
            saved = _saved(problem, at, option)
            if dearer >= saved + problem.pool_price[problem.option_pool[option]]:
                break
            node = emptiest(problem, fixed, at, option)
            if dearer >= saved and at.node_held[node] > 1:
                break
            remove(problem, fixed, at, option, node)
            settle(problem, fixed, at, model)


@allocation_free
def emptiest(problem: PackedProblem, fixed: Layout, at: Standing, option: int) -> int:
    """Of the open nodes that hold an instance of the option, the one with the fewest; else a full one that does."""
    pool, order = problem.option_pool[option], at.order
    found, fewest = NOWHERE, at.node_option.shape[1] + 1
    for filed in range(fixed.first_node[pool], order.end_of_used[pool]):
        if found != NOWHERE and filed >= order.end_of_open[pool]:
            break
        node = order.nodes[filed]
        if at.node_held[node] < fewest and _holds(at, node, option):
            found, fewest = node, at.node_held[node]
    return found


@inlined
def _holds(at: Standing, node: int, option: int) -> bool:
    holds = False
    for slot in range(at.node_held[node]):
        holds = holds or at.node_option[node, slot] == option
    return holds


@inlined
def _saved(problem: PackedProblem, at: Standing, option: int) -> float:
    """What is not paid any more without an instance, beside its node."""
    pair = problem.option_pair[option]
    start = problem.start_price if at.pair_held[pair] > problem.pair_running[pair] else 0.0
    return float(problem.option_price[option] + start)
