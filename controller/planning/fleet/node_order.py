"""The nodes of each pool in order of what can be done with them: open ones first, then full ones, then unused ones.

An *open* node holds something and has room for more of what its pool may hold. Nodes change their places by swaps, so
that keeping the order takes no longer however many nodes there are.
"""

from typing import NamedTuple

import numpy as np

from controller.compiled import inlined
from controller.planning.fleet.packed import Ints


class NodeOrder(NamedTuple):
    """The nodes of pool p are at the places first_node[p] to first_node[p + 1] - 1 of `nodes`."""

    nodes: Ints
    """[N]"""
    place: Ints
    """[N]: where in `nodes` each node is."""
    end_of_open: Ints
    """[P]: the place after a pool's last open node."""
    end_of_used: Ints
    """[P]: the place after its last node that holds anything."""
    end: Ints
    """[P]: the place after the last node that may be opened."""


def all_unused(first_node: Ints) -> NodeOrder:
    """[P + 1]: where each pool's nodes begin. All of them may be opened."""
    nodes = np.arange(first_node[-1])
    return NodeOrder(nodes, nodes.copy(), first_node[:-1].copy(), first_node[:-1].copy(), first_node[1:].copy())


@inlined
def file_node(order: NodeOrder, pool: int, node: int, used: bool, full: bool) -> None:
    """Put a node where it belongs now."""
    if order.place[node] < order.end_of_open[pool]:
        if used and not full:
            return
        order.end_of_open[pool] -= 1
        _swap(order, node, order.end_of_open[pool])
    if order.place[node] >= order.end_of_used[pool]:
        if not used:
            return
        _swap(order, node, order.end_of_used[pool])
        order.end_of_used[pool] += 1
    if not used:
        order.end_of_used[pool] -= 1
        _swap(order, node, order.end_of_used[pool])
    elif not full:
        _swap(order, node, order.end_of_open[pool])
        order.end_of_open[pool] += 1


@inlined
def _swap(order: NodeOrder, node: int, to: int) -> None:
    here, other = order.place[node], order.nodes[to]
    order.nodes[here], order.nodes[to] = other, node
    order.place[other], order.place[node] = here, to
