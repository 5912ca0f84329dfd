"""What stands where while a plan is sought: instances on nodes, what is left of each node, and what it all costs.

Everything here changes in place. Each change is journalled, so that a try that did not pay is taken back.
"""

from typing import Final, NamedTuple

import numpy as np

from controller.compiled import allocation_free, compiled, inlined
from controller.planning.fleet.covering import cost_missing, offer, worsen
from controller.planning.fleet.layout import Layout
from controller.planning.fleet.node_order import NodeOrder, all_unused, file_node
from controller.planning.fleet.packed import Floats, Ints, PackedPlan, PackedProblem

MOST_HELD: Final = 64
"""Instances on one node, where neither their use nor the node's room says less."""
NOWHERE: Final = -1
CHANGES: Final = 3
"""By place, of a try: it takes an instance away, fills the place and trims that again. The next model may fill it once
more, so `has_room` is asked before each instance."""
MORE_CHANGES: Final = 64
"""... and so many where places are few."""


class Standing(NamedTuple):
    """At most K instances on a node. `total` holds the cost, `written` how long the journal is."""

    node_room: Ints
    """[N, R]"""
    node_option: Ints
    """[N, K]: the options of a node's instances, the first `node_held` of a row."""
    node_held: Ints
    """[N]"""
    held: Ints
    """[O]: instances of each option."""
    pair_held: Ints
    """[C]"""
    gap: Ints
    """[S]: what each subset of a model's demands asks for beyond what the instances that reach any of it can answer."""
    worst: Ints
    """[S]: the largest gap of its subsets, at least 0; as it was when the model was served last."""
    missed: Floats
    """[M]: the cost of what is not served."""
    total: Floats
    """[1]"""
    journal: Ints
    """[L, 2]: option and node of each instance that was placed; one that was taken away has its node's complement."""
    written: Ints
    """[1]"""
    order: NodeOrder
    price: Floats
    """[options of a model, at most]: to write on while a model is served."""
    misjudged: Floats
    """[the same]"""
    looked: Ints
    """[the same]: the options that are looked at."""
    key: Floats
    """[M]: to write on while models are put in order."""


def standing(problem: PackedProblem, fixed: Layout, plan: PackedPlan) -> Standing:
    """A plan as it stands; instances that do not fit are left out."""
    nodes, options, most = fixed.node_pool.size, problem.option_pool.size, _most_held(problem)
    at = Standing(
        problem.pool_capacity[fixed.node_pool],
        np.full((nodes, most), NOWHERE),
        np.zeros(nodes, np.int64),
        np.zeros(options, np.int64),
        np.zeros(problem.pair_running.size, np.int64),
        fixed.asked.copy(),
        fixed.asked.copy(),
        np.zeros(problem.first_demand.size - 1),
        np.zeros(1),
        np.zeros((CHANGES * nodes * most + MORE_CHANGES, 2), np.int64),
        np.zeros(1, np.int64),
        all_unused(fixed.first_node),
        np.empty(np.diff(problem.first_option).max(initial=0)),
        np.empty(np.diff(problem.first_option).max(initial=0)),
        np.empty(np.diff(problem.first_option).max(initial=0), np.int64),
        np.empty(problem.first_option.size - 1),
    )
    stand(problem, fixed, at, plan.instance_option, plan.instance_node)
    return at


def _most_held(problem: PackedProblem) -> int:
    return max(1, int(_most_that_fit(problem.pool_capacity, problem.option_pool, problem.option_use)))


@compiled
def _most_that_fit(capacity: Ints, option_pool: Ints, option_use: Ints) -> int:
    """Of the instances of any one option, how many fit on a node, at most MOST_HELD."""
    most = 0
    for option in range(option_pool.size):
        fit = MOST_HELD
        for resource in range(option_use.shape[1]):
            if option_use[option, resource] > 0:
                fit = min(fit, capacity[option_pool[option], resource] // option_use[option, resource])
        most = max(most, fit)
    return most


def plan_of(node_option: Ints) -> PackedPlan:
    """What stands on the nodes, as a plan."""
    nodes, slots = np.nonzero(node_option != NOWHERE)
    return PackedPlan(node_option[nodes, slots], nodes)


@allocation_free
def stand(problem: PackedProblem, fixed: Layout, at: Standing, options: Ints, nodes: Ints) -> None:
    """Place a whole plan, and count what it misses."""
    for instance in range(options.size):
        if fits(problem, at, options[instance], nodes[instance]):
            place(problem, fixed, at, options[instance], nodes[instance])
    for model in range(problem.first_demand.size - 1):
        settle(problem, fixed, at, model)
    at.written[0] = 0


@allocation_free
def fits(problem: PackedProblem, at: Standing, option: int, node: int) -> bool:
    """Whether a node has room for one more instance."""
    for resource in range(at.node_room.shape[1]):
        if at.node_room[node, resource] < problem.option_use[option, resource]:
            return False
    return bool(at.node_held[node] < at.node_option.shape[1])


@inlined
def place(problem: PackedProblem, fixed: Layout, at: Standing, option: int, node: int) -> None:
    """Put an instance on a node that has room for it."""
    _journal(at, option, node)
    _place(problem, fixed, at, option, node)


@inlined
def remove(problem: PackedProblem, fixed: Layout, at: Standing, option: int, node: int) -> None:
    """Take an instance from a node that holds one."""
    _journal(at, option, ~node)
    _remove(problem, fixed, at, option, node)


@inlined
def settle(problem: PackedProblem, fixed: Layout, at: Standing, model: int) -> int:
    """Count anew what a model misses, in cost and in urps."""
    first, last = fixed.first_subset[model], fixed.first_subset[model + 1]
    worsen(at.gap[first:last], at.worst[first:last])
    return charge(problem, fixed, at, model)


@inlined
def charge(problem: PackedProblem, fixed: Layout, at: Standing, model: int) -> int:
    """Count what a model misses by its worst gaps, in cost and in urps."""
    worst = at.worst[fixed.first_subset[model] : fixed.first_subset[model + 1]]
    cost = cost_missing(worst, problem.demand_worth[problem.first_demand[model] : problem.first_demand[model + 1]])
    at.total[0] += cost - at.missed[model]
    at.missed[model] = cost
    return int(worst[worst.size - 1])


@allocation_free
def take_back(problem: PackedProblem, fixed: Layout, at: Standing) -> None:
    """Undo all that the journal holds, but for what the models miss."""
    while at.written[0] > 0:
        at.written[0] -= 1
        option, node = at.journal[at.written[0], 0], at.journal[at.written[0], 1]
        if node >= 0:
            _remove(problem, fixed, at, option, node)
        else:
            _place(problem, fixed, at, option, ~node)


@inlined
def has_room(at: Standing) -> bool:
    """Whether one more instance can be journalled, and still all that stands could be taken away."""
    return bool(at.written[0] + 1 + at.node_option.size <= at.journal.shape[0])


@inlined
def _journal(at: Standing, option: int, node: int) -> None:
    at.journal[at.written[0], 0] = option
    at.journal[at.written[0], 1] = node
    at.written[0] += 1


@inlined
def _place(problem: PackedProblem, fixed: Layout, at: Standing, option: int, node: int) -> None:
    if at.node_held[node] == 0:
        at.total[0] += problem.pool_price[problem.option_pool[option]]
    at.node_option[node, at.node_held[node]] = option
    at.node_held[node] += 1
    pair = problem.option_pair[option]
    if at.pair_held[pair] >= problem.pair_running[pair]:
        at.total[0] += problem.start_price
    at.pair_held[pair] += 1
    _count(problem, fixed, at, option, node, 1)


@inlined
def _remove(problem: PackedProblem, fixed: Layout, at: Standing, option: int, node: int) -> None:
    slot = 0
    while at.node_option[node, slot] != option:
        slot += 1
    at.node_held[node] -= 1
    at.node_option[node, slot] = at.node_option[node, at.node_held[node]]
    at.node_option[node, at.node_held[node]] = NOWHERE
    if at.node_held[node] == 0:
        at.total[0] -= problem.pool_price[problem.option_pool[option]]
    pair = problem.option_pair[option]
    at.pair_held[pair] -= 1
    if at.pair_held[pair] >= problem.pair_running[pair]:
        at.total[0] -= problem.start_price
    _count(problem, fixed, at, option, node, -1)


@inlined
def _count(problem: PackedProblem, fixed: Layout, at: Standing, option: int, node: int, more: int) -> None:
    pool = problem.option_pool[option]
    full = at.node_held[node] == at.node_option.shape[1]
    for resource in range(at.node_room.shape[1]):
        at.node_room[node, resource] -= more * problem.option_use[option, resource]
        if at.node_room[node, resource] < fixed.least_use[pool, resource]:
            full = True
    file_node(at.order, pool, node, at.node_held[node] > 0, full)
    at.held[option] += more
    at.total[0] += more * problem.option_price[option]
    model = fixed.option_model[option]
    gap = at.gap[fixed.first_subset[model] : fixed.first_subset[model + 1]]
    offer(gap, more * problem.option_urps[option], problem.option_reach[option])
