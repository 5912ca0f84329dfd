"""Placing instances on nodes that have devices inside, as arrays: CPU, host memory, and shares of single devices.

Everything is numbered from 0. Nodes of one *kind* are alike, and numbered kind by kind. Each device of a node has a
thousand shares. Instances of one *class* are alike: one takes CPU and memory of its node, and of so many of its devices
the same number of shares each: a part of one device, or several whole ones. It costs the weight of its class to leave
an instance out, and the price of its kind to have anything on a node. With prices of 0 the aim is to place what is
worth most; with weights above all prices, to place everything on the cheapest nodes, or on the fewest where they cost
the same.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SHARES: Final = 1000
"""Of one device."""
CPU: Final = 0
MEMORY: Final = 1
DEVICES: Final = 2
"""Columns of `class_need`; in `kind_free` the shares of the first device stand here."""
SHARE: Final = 3


class DeviceProblem(NamedTuple):
    """K kinds, C classes; D is the most devices that a node has."""

    kind_nodes: Ints
    """[K]: nodes that there are."""
    kind_free: Ints
    """[K, 2 + D]: what an empty node has: CPU, memory, and the shares of each device, 0 for those that it lacks."""
    kind_price: Floats
    """[K]: what a node costs that holds anything."""
    class_need: Ints
    """[C, 4]: CPU, memory, how many devices, and how many shares of each of them."""
    class_count: Ints
    """[C]: instances that there are."""
    class_weight: Floats
    """[C]: what it costs to leave an instance out."""
    class_allowed: Flags
    """[C, K]: whether it may stand there, room aside."""


class DevicePlan(NamedTuple):
    """The instances that are placed, in any order."""

    instance_class: Ints
    """[I]"""
    instance_node: Ints
    """[I]"""
    instance_devices: Ints
    """[I]: the devices of its node that it uses, as bits."""


EMPTY: Final = DevicePlan(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))


def node_kinds(problem: DeviceProblem) -> Ints:
    """[N]: the kind of each node."""
    return np.repeat(np.arange(problem.kind_nodes.size), problem.kind_nodes)


def fitting(problem: DeviceProblem) -> Flags:
    """[C, K]: whether an instance may stand on an empty node of a kind, and has room there."""
    need, free = problem.class_need[:, None, :], problem.kind_free[None, :, :]
    wide_enough = (free[:, :, DEVICES:] >= need[:, :, [SHARE]]).sum(axis=2) >= need[:, :, DEVICES]
    enough = (free[:, :, CPU] >= need[:, :, CPU]) & (free[:, :, MEMORY] >= need[:, :, MEMORY])
    return np.asarray(problem.class_allowed & enough & wide_enough)


def most_held(problem: DeviceProblem) -> int:
    """More instances than this have no room on any node."""
    found = [
        min(
            _most(problem.class_need[:, part], problem.class_count, room)
            for part, room in ((CPU, cpu), (MEMORY, memory))
        )
        for cpu, memory in problem.kind_free[:, :DEVICES]
    ]
    return max(found, default=0)


def _most(need: Ints, count: Ints, room: int) -> int:
    """As many of the smallest as there is room for."""
    order = np.argsort(need, kind="stable")
    taken, found = 0, 0
    for size, there in zip(need[order].tolist(), count[order].tolist(), strict=True):
        fits = there if size == 0 else min(there, (room - taken) // size)
        found, taken = found + fits, taken + fits * size
        if fits < there:
            break
    return found


def cost(problem: DeviceProblem, plan: DevicePlan) -> float:
    """The weights of what is left out and the prices of the nodes in use."""
    placed = np.bincount(plan.instance_class, minlength=problem.class_count.size)
    used = np.unique(plan.instance_node)
    prices = problem.kind_price[node_kinds(problem)[used]].sum()
    return float((problem.class_count - placed) @ problem.class_weight + prices)
