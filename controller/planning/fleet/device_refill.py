"""Placing what waits, class by class, each instance where the score is least: what all placing here is made of.

The score of a node is what a class costs there beyond the kind that suits it best, plus the price of the node while
nothing stands on it, plus `fit` times what it has free, all at shadow prices. In a search nodes are passed over at
random (the blinks of Christiaens and Vanden Berghe 2020), so that no place is out of reach because another scores less.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from controller.compiled import compiled
from controller.planning.fleet.device_guide import Guide
from controller.planning.fleet.device_state import NOWHERE, DeviceState, devices_for, put
from controller.planning.fleet.devices import CPU, DEVICES, MEMORY, SHARE, Floats, Ints

Words = npt.NDArray[np.uint64]
SCALE: Final = 2.0**-53


@compiled
def draw(random: Words) -> float:
    """A number from [0, 1), and the next state of `random`, which is not 0 (Vigna 2016, xorshift64*)."""
    word = random[0]
    word ^= word >> np.uint64(12)
    word ^= word << np.uint64(25)
    word ^= word >> np.uint64(27)
    random[0] = word
    return float((word * np.uint64(2685821657736338717)) >> np.uint64(11)) * SCALE


@compiled
def left_over(free: Ints, rate: Floats, node: int, kind: int) -> float:
    """What the free part of a node is worth."""
    shares = 0
    for device in range(DEVICES, free.shape[1]):
        shares += free[node, device]
    return float(free[node, CPU] * rate[kind, 0] + free[node, MEMORY] * rate[kind, 1] + shares * rate[kind, 2])


@compiled
def best_node(
    state: DeviceState, guide: Guide, need: Ints, one: int, nodes: Ints, fit: float, blink: float, random: Words
) -> tuple[int, int]:
    """The node of `nodes` with the least score for an instance of class `one`, and the bits of its devices there."""
    best, bits, least = NOWHERE, NOWHERE, np.inf
    for node in nodes:
        kind = state.node_kind[node]
        score = guide.slack[one, kind]
        if state.free[node, CPU] < need[one, CPU] or state.free[node, MEMORY] < need[one, MEMORY] or score == np.inf:
            continue
        devices = devices_for(state.free, node, need[one, DEVICES], need[one, SHARE])
        if devices == NOWHERE:
            continue
        score += fit * left_over(state.free, guide.rate, node, kind)
        if state.held[node] == 0:
            score += guide.opening[kind]
        if score < least and (blink == 0.0 or draw(random) >= blink):
            best, bits, least = node, devices, score
    return best, bits


@compiled
def refill(
    state: DeviceState, guide: Guide, need: Ints, order: Ints, nodes: Ints, fit: float, blink: float, random: Words
) -> None:
    """Place what waits of the classes in `order`, as long as there is room on `nodes`."""
    for one in order:
        while state.waiting[one] > 0:
            node, devices = best_node(state, guide, need, one, nodes, fit, blink, random)
            if node == NOWHERE:
                break
            put(state, need, node, one, devices)
