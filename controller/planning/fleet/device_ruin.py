"""Which nodes a step takes instances off, and which instances.

A node is looked for by its *loss*: what it could hold at shadow prices less what it does hold. What all nodes lose is,
with what waits although it is worth more than its price, the gap between the plan and the bound: so the few nodes that
keep a plan from its bound are found among a thousand. The other half of the nodes is looked for by room, devices and
CPU that are free together: what is taken off the first may find a place there.
"""

from typing import Final

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.device_guide import Guide
from controller.planning.fleet.device_refill import Words, draw
from controller.planning.fleet.device_state import DeviceState, take
from controller.planning.fleet.devices import CPU, DEVICES, SHARES, Floats, Ints

LOSS: Final = 0
ROOM: Final = 1
"""Columns of the marks of nodes."""
LOOKS: Final = 100
"""A node is the best of up to so many that are drawn, mostly of few: of L u v, with u and v from [0, 1)."""
BY_LOSS: Final = 0.5
TAKEN: Final = 0.5
"""Of the instances on these nodes. Taking off half of them at random did better than emptying nodes."""


@compiled
def pick(marks: Floats, nodes: Ints, random: Words) -> int:
    """Different nodes, and how many; `marks` [N, 2] holds the loss and the room of each."""
    count = 1 + int(draw(random) * nodes.size)
    for i in range(count):
        again = True
        while again:
            nodes[i] = _any(marks, 1 + int(LOOKS * draw(random) * draw(random)), random)
            again = False
            for j in range(i):
                again |= nodes[j] == nodes[i]
    return count


@compiled
def _any(marks: Floats, looks: int, random: Words) -> int:
    """Of so many nodes drawn at random, the one with the greatest loss, or with most room."""
    best, most = 0, -np.inf
    mark = LOSS if draw(random) < BY_LOSS else ROOM
    for _ in range(looks):
        node = int(draw(random) * marks.shape[0])
        if marks[node, mark] > most:
            best, most = node, marks[node, mark]
    return best


@compiled
def remark(state: DeviceState, guide: Guide, there: Ints, nodes: Ints, marks: Floats) -> None:
    """Tell the loss and the room of nodes that have changed."""
    for node in nodes:
        marks[node, LOSS] = _loss(state, guide, node)
        marks[node, ROOM] = room(state, there, node)


@compiled
def _loss(state: DeviceState, guide: Guide, node: int) -> float:
    """What a node in use could hold at most, less what it holds, at shadow prices."""
    if state.held[node] == 0:
        return 0.0
    loss = guide.value[state.node_kind[node]]
    for at in range(state.held[node]):
        loss -= guide.worth[state.held_class[node, at]]
    return float(loss)


@compiled
def room(state: DeviceState, there: Ints, node: int) -> float:
    """Devices that are free on a node, times the part of its CPU that is free beside them."""
    shares = 0
    for device in range(DEVICES, state.free.shape[1]):
        shares += state.free[node, device]
    part = state.free[node, CPU] / max(1, there[state.node_kind[node], CPU])
    return float(shares / SHARES * part)


@compiled
def ruin(state: DeviceState, need: Ints, nodes: Ints, random: Words) -> None:
    """Take about half of what stands there off."""
    for node in nodes:
        for at in range(state.held[node] - 1, -1, -1):
            if draw(random) < TAKEN:
                take(state, need, node, at)
