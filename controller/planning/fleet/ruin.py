"""What to take away before it is served again: related nodes, related models, or a node with all of its models.

Instances are related when they could take each other's place: they stand on nodes that the same model could use.
"""

from typing import Final, NamedTuple

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.packed import Ints, PackedProblem
from controller.planning.fleet.ranking import LIKELY
from controller.planning.fleet.recreate import emptiest
from controller.planning.fleet.standing import NOWHERE, Layout, Standing, remove

NODES: Final = 0.55
"""The part of the tries that empty nodes."""
MODELS: Final = 0.25
"""The part of the tries that take models away; the others take a node's models away."""
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
    counter: Ints
    """[2]: how many were touched, and the number of the try."""


def untouched(problem: PackedProblem) -> Touched:
    """Before the first try."""
    models = problem.first_option.size - 1
    return Touched(np.zeros(models, np.int64), np.zeros(models, np.int64), np.zeros(2, np.int64))


@compiled
def ruin(
    problem: PackedProblem, fixed: Layout, at: Standing, order: Ints, touched: Touched, dice: np.random.Generator
) -> None:
    """Take some instances away."""
    touched.counter[0] = 0
    touched.counter[1] += 1
    node = _emptier(at, _any_node(at, dice), _any_node(at, dice))
    if node == NOWHERE:
        _want(at, touched, dice)
        return
    kind, many = dice.random(), 1 + int(MOST * dice.random())
    if kind < NODES:
        for _ in range(many):
            following = _related(problem, fixed, at, order, node, dice)
            _empty(problem, fixed, at, touched, node)
            node = following if following != NOWHERE and at.node_held[following] > 0 else _any_node(at, dice)
            if node == NOWHERE:
                break
    elif kind < NODES + MODELS:
        for _ in range(many):
            _strip(problem, fixed, at, touched, fixed.option_model[_any_option(at, node, dice)], dice)
            if at.node_held[node] == 0:
                node = _any_node(at, dice)
            if node == NOWHERE:
                break
    else:
        while at.node_held[node] > 0:
            option = at.node_option[node, 0]
            remove(problem, fixed, at, option, node)
            _strip(problem, fixed, at, touched, fixed.option_model[option], dice)
    _want(at, touched, dice)


@compiled
def _want(at: Standing, touched: Touched, dice: np.random.Generator) -> None:
    """Touch a model that misses something, so that it may take what others gave up."""
    model = int(at.missed.size * dice.random())
    for _ in range(min(GUESSES, at.missed.size)):
        if at.missed[model] > 0:
            _touch(touched, model)
            return
        model = model + 1 if model + 1 < at.missed.size else 0


@compiled
def _emptier(at: Standing, one: int, other: int) -> int:
    """The node with fewer instances: what is hardly used is what could be saved."""
    return other if at.node_held[other] < at.node_held[one] else one


@compiled
def _any_node(at: Standing, dice: np.random.Generator) -> int:
    for _ in range(min(GUESSES, at.node_held.size)):
        node = int(at.node_held.size * dice.random())
        if at.node_held[node] > 0:
            return node
    return _held_from(at, 0, at.node_held.size, dice)


@compiled
def _held_from(at: Standing, first: int, last: int, dice: np.random.Generator) -> int:
    """A node between two numbers that holds anything, from any of them on."""
    if last <= first:
        return NOWHERE
    begin = first + int((last - first) * dice.random())
    for step in range(last - first):
        node = begin + step
        if node >= last:
            node -= last - first
        if at.node_held[node] > 0:
            return node
    return NOWHERE


@compiled
def _any_option(at: Standing, node: int, dice: np.random.Generator) -> int:
    return int(at.node_option[node, int(at.node_held[node] * dice.random())])


@compiled
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
    return _held_from(at, fixed.first_node[pool], fixed.first_node[pool + 1], dice)


@compiled
def _empty(problem: PackedProblem, fixed: Layout, at: Standing, touched: Touched, node: int) -> None:
    while at.node_held[node] > 0:
        option = at.node_option[node, at.node_held[node] - 1]
        remove(problem, fixed, at, option, node)
        _touch(touched, fixed.option_model[option])


@compiled
def _strip(
    problem: PackedProblem, fixed: Layout, at: Standing, touched: Touched, model: int, dice: np.random.Generator
) -> None:
    """Take some of a model's instances away, those of neighbouring options."""
    _touch(touched, model)
    first, last = problem.first_option[model], problem.first_option[model + 1]
    begin, taken = int((last - first) * dice.random()), 0
    for step in range(last - first):
        option = first + (begin + step) % (last - first)
        while at.held[option] > 0 and taken < TAKEN:
            remove(problem, fixed, at, option, emptiest(problem, fixed, at, option))
            taken += 1


@compiled
def _touch(touched: Touched, model: int) -> None:
    if touched.seen[model] != touched.counter[1]:
        touched.seen[model] = touched.counter[1]
        touched.models[touched.counter[0]] = model
        touched.counter[0] += 1
