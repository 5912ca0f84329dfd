"""The best plan so far, kept beside the one that is being changed; only nodes that differ are copied."""

from typing import NamedTuple

import numpy as np

from controller.compiled import allocation_free
from controller.planning.fleet.packed import Floats, Ints
from controller.planning.fleet.standing import Standing


class Best(NamedTuple):
    """A plan by node, its cost, and the nodes that were changed since."""

    node_option: Ints
    """[N, K]"""
    total: Floats
    """[1]"""
    changed: Ints
    """[N], the first `counter` of them."""
    is_changed: Ints
    """[N]"""
    counter: Ints
    """[1]"""


def best_of(at: Standing) -> Best:
    """What stands, as the best so far."""
    nodes = at.node_held.size
    return Best(
        at.node_option.copy(),
        at.total.copy(),
        np.zeros(nodes, np.int64),
        np.zeros(nodes, np.int64),
        np.zeros(1, np.int64),
    )


@allocation_free
def note_changes(best: Best, at: Standing) -> None:
    """Remember the nodes of an accepted try's journal."""
    for entry in range(at.written[0]):
        node = at.journal[entry, 1]
        if node < 0:
            node = ~node
        if best.is_changed[node] == 0:
            best.is_changed[node] = 1
            best.changed[best.counter[0]] = node
            best.counter[0] += 1


@allocation_free
def keep(best: Best, at: Standing) -> None:
    """What stands is the best now."""
    best.total[0] = at.total[0]
    for entry in range(best.counter[0]):
        node = best.changed[entry]
        best.is_changed[node] = 0
        for slot in range(at.node_option.shape[1]):
            best.node_option[node, slot] = at.node_option[node, slot]
    best.counter[0] = 0
