"""What to take away before it is served again: nodes, models, a node with all its models, or what could share a pool.

Instances are related when they could take each other's place: they stand on nodes that the same model could use.
"""

from typing import Final, NamedTuple

import numpy as np

from controller.compiled import allocation_free
from controller.planning.fleet.layout import Layout
from controller.planning.fleet.packed import Floats, Ints, PackedProblem
from controller.planning.fleet.ranking import LIKELY
from controller.planning.fleet.recreate import emptiest
from controller.planning.fleet.standing import NOWHERE, Standing, remove

LURED: Final = 0.5
"""The part of the tries that lure models to one pool."""
MOST_LURED: Final = 6
"""Models that are lured beside the one whose pool it is."""
NODES: Final = 0.55
"""The part of the other tries that empty nodes."""
MODELS: Final = 0.25
"""... that take models away; the rest takes a node's models away."""
MOST: Final = 4
"""Nodes that are emptied at once, or models that are taken from."""
TAKEN: Final = 6
"""Instances that are taken from one model at most: of a large one, a part."""
ELSEWHERE: Final = 0.5
"""How often the next node is one that a model of this one could use; otherwise it is of the same pool, or holds it."""
GUESSES: Final = 64
"""Nodes are looked at by chance until one holds anything."""


class Touched(NamedTuple):
    """The models that a try took anything from."""

    models: Ints
    """[M], the first `counter` of them."""
    seen: Ints
    """[M]: the number of the last try that touched it."""
    missed: Floats
    """[M]: what each touched model missed before."""
    counter: Ints
    """[2]: how many were touched, and the number of the try."""


def untouched(problem: PackedProblem) -> Touched:
    """Before the first try."""
    models = problem.first_option.size - 1
    return Touched(np.zeros(models, np.int64), np.zeros(models, np.int64), np.zeros(models), np.zeros(2, np.int64))


@allocation_free
def ruin(
    problem: PackedProblem, fixed: Layout, at: Standing, order: Ints, touched: Touched, dice: np.random.Generator
) -> int:
    """Take some instances away; the pool that they are lured to, or NOWHERE."""
    touched.counter[0] = 0
    touched.counter[1] += 1
    lure = NOWHERE
    node = _emptier(at, _any_node(problem, fixed, at, dice), _any_node(problem, fixed, at, dice))
    if node != NOWHERE:
        kind = dice.random() / (1 - LURED)
        if kind >= 1:
            lure = _lure(problem, fixed, at, order, touched, node, dice)
        elif kind < NODES:
            _empty_related(problem, fixed, at, order, touched, node, dice)
        elif kind < NODES + MODELS:
            _strip_related(problem, fixed, at, touched, node, dice)
        else:
            _strip_all(problem, fixed, at, touched, node, dice)
    _want(at, touched, dice)
    return lure


@allocation_free
def _empty_related(
    problem: PackedProblem,
    fixed: Layout,
    at: Standing,
    order: Ints,
    touched: Touched,
    node: int,
    dice: np.random.Generator,
) -> None:
    """Empty a node and some that have to do with each other."""
    for _ in range(1 + int(MOST * dice.random())):
        following = _related(problem, fixed, at, order, node, dice)
        _empty(problem, fixed, at, touched, node)
        node = following
        if node == NOWHERE or at.node_held[node] == 0:
            node = _any_node(problem, fixed, at, dice)
        if node == NOWHERE:
            return


@allocation_free
def _strip_related(
    problem: PackedProblem, fixed: Layout, at: Standing, touched: Touched, node: int, dice: np.random.Generator
) -> None:
    """Take from some models that share a node, as long as it holds any."""
    for _ in range(1 + int(MOST * dice.random())):
        _strip(problem, fixed, at, touched, fixed.option_model[_any_option(at, node, dice)], dice)
        if at.node_held[node] == 0:
            node = _any_node(problem, fixed, at, dice)
        if node == NOWHERE:
            return


@allocation_free
def _strip_all(
    problem: PackedProblem, fixed: Layout, at: Standing, touched: Touched, node: int, dice: np.random.Generator
) -> None:
    """Empty a node, and take from all models that it held."""
    while at.node_held[node] > 0:
        option = at.node_option[node, 0]
        remove(problem, fixed, at, option, node)
        _strip(problem, fixed, at, touched, fixed.option_model[option], dice)


@allocation_free
def _lure(
    problem: PackedProblem,
    fixed: Layout,
    at: Standing,
    order: Ints,
    touched: Touched,
    node: int,
    dice: np.random.Generator,
) -> int:
    """Take from models that could all use one pool, which is a likely one for a model of this node.

    A node that is opened pays off only when several models move to it, so they are told of it together.
    """
    model = fixed.option_model[_any_option(at, node, dice)]
    first, last = problem.first_option[model], problem.first_option[model + 1]
    pool = problem.option_pool[order[first + int(min(LIKELY, last - first) * dice.random())]]
    _strip(problem, fixed, at, touched, model, dice)
    first, last = fixed.first_by_pool[pool], fixed.first_by_pool[pool + 1]
    for _ in range(1 + int(MOST_LURED * dice.random())):
        option = fixed.by_pool[first + int((last - first) * dice.random())]
        _strip(problem, fixed, at, touched, fixed.option_model[option], dice)
    return int(pool)


@allocation_free
def _want(at: Standing, touched: Touched, dice: np.random.Generator) -> None:
    """Touch a model that misses something, so that it may take what others gave up."""
    model = int(at.missed.size * dice.random())
    for _ in range(min(GUESSES, at.missed.size)):
        if at.missed[model] > 0:
            _touch(at, touched, model)
            return
        model = model + 1 if model + 1 < at.missed.size else 0


@allocation_free
def _emptier(at: Standing, one: int, other: int) -> int:
    """The node with fewer instances: what is hardly used is what could be saved."""
    if one == NOWHERE:
        return NOWHERE
    return other if at.node_held[other] < at.node_held[one] else one


@allocation_free
def _any_node(problem: PackedProblem, fixed: Layout, at: Standing, dice: np.random.Generator) -> int:
    pools = problem.pool_nodes.size
    pool = fixed.node_pool[int(fixed.node_pool.size * dice.random())] if fixed.node_pool.size > 0 else 0
    for _ in range(pools):
        node = _of_pool(fixed, at, pool, dice)
        if node != NOWHERE:
            return node
        pool = pool + 1 if pool + 1 < pools else 0
    return NOWHERE


@allocation_free
def _of_pool(fixed: Layout, at: Standing, pool: int, dice: np.random.Generator) -> int:
    """A node of a pool that holds anything."""
    first = fixed.first_node[pool]
    used = at.order.end_of_used[pool] - first
    return int(at.order.nodes[first + int(used * dice.random())]) if used > 0 else NOWHERE


@allocation_free
def _any_option(at: Standing, node: int, dice: np.random.Generator) -> int:
    return int(at.node_option[node, int(at.node_held[node] * dice.random())])


@allocation_free
def _related(
    problem: PackedProblem, fixed: Layout, at: Standing, order: Ints, node: int, dice: np.random.Generator
) -> int:
    """A node that holds anything and has to do with this one."""
    option = _any_option(at, node, dice)
    where = dice.random()
    model = fixed.option_model[option]
    first, last = problem.first_option[model], problem.first_option[model + 1]
    if where < ELSEWHERE:
        option = order[first + int(min(LIKELY, last - first) * dice.random())]
    elif where < (1 + ELSEWHERE) / 2:
        other = first + int((last - first) * dice.random())
        for step in range(last - first):
            held = other + step if other + step < last else other + step - last + first
            if at.held[held] > 0 and held != option:
                return emptiest(problem, fixed, at, held)
    pool = problem.option_pool[option]
    return _of_pool(fixed, at, pool, dice)


@allocation_free
def _empty(problem: PackedProblem, fixed: Layout, at: Standing, touched: Touched, node: int) -> None:
    while at.node_held[node] > 0:
        option = at.node_option[node, at.node_held[node] - 1]
        remove(problem, fixed, at, option, node)
        _touch(at, touched, fixed.option_model[option])


@allocation_free
def _strip(
    problem: PackedProblem, fixed: Layout, at: Standing, touched: Touched, model: int, dice: np.random.Generator
) -> None:
    """Take some of a model's instances away, those of neighbouring options."""
    _touch(at, touched, model)
    first, last = problem.first_option[model], problem.first_option[model + 1]
    option, left = first + int((last - first) * dice.random()), TAKEN
    for _ in range(last - first):
        while at.held[option] > 0 and left > 0:
            remove(problem, fixed, at, option, emptiest(problem, fixed, at, option))
            left -= 1
        if left == 0:
            break
        option = option + 1 if option + 1 < last else first


@allocation_free
def _touch(at: Standing, touched: Touched, model: int) -> None:
    if touched.seen[model] != touched.counter[1]:
        touched.seen[model] = touched.counter[1]
        touched.models[touched.counter[0]] = model
        touched.missed[model] = at.missed[model]
        touched.counter[0] += 1
