"""What stands where, while an engine changes it: arrays that compiled code writes to."""

from typing import Final, NamedTuple

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.devices import (
    CPU,
    DEVICES,
    MEMORY,
    SHARE,
    SHARES,
    DevicePlan,
    DeviceProblem,
    Ints,
    most_held,
    node_kinds,
)

NOWHERE: Final = -1
"""In place of a node, or of the bits of devices."""


class DeviceState(NamedTuple):
    """N nodes with room for at most H instances each; those of node n are the first `held[n]` of its row."""

    node_kind: Ints
    """[N]"""
    free: Ints
    """[N, 2 + D]: CPU, memory, and the shares of each device."""
    held: Ints
    """[N]"""
    held_class: Ints
    """[N, H]"""
    held_devices: Ints
    """[N, H]: bits."""
    waiting: Ints
    """[C]: instances that stand nowhere."""


def emptied(problem: DeviceProblem) -> DeviceState:
    """Nothing is placed yet."""
    kinds = node_kinds(problem)
    shape = (kinds.size, max(1, most_held(problem)))
    return DeviceState(
        kinds,
        problem.kind_free[kinds],
        np.zeros(kinds.size, np.int64),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.int64),
        problem.class_count.copy(),
    )


def standing(problem: DeviceProblem, plan: DevicePlan) -> DeviceState:
    """What a plan has placed. It must be a plan of this problem: `device_check` tells."""
    state = emptied(problem)
    _stand(state, problem.class_need, plan)
    return state


def copied(state: DeviceState) -> DeviceState:
    """A state of its own."""
    return DeviceState(*(part.copy() for part in state))


def plan_of(state: DeviceState) -> DevicePlan:
    """What is placed, node by node."""
    here = np.arange(state.held_class.shape[1])[None, :] < state.held[:, None]
    return DevicePlan(
        state.held_class[here], np.repeat(np.arange(state.held.size), state.held), state.held_devices[here]
    )


@compiled
def _stand(state: DeviceState, need: Ints, plan: DevicePlan) -> None:
    for i in range(plan.instance_class.size):
        put(state, need, plan.instance_node[i], plan.instance_class[i], plan.instance_devices[i])


@compiled
def devices_for(free: Ints, node: int, wanted: int, share: int) -> int:
    """The bits of the devices that an instance would use: the fullest ones that have its shares. NOWHERE for none."""
    bits = 0
    for _ in range(wanted):
        fullest, least = NOWHERE, SHARES + 1
        for device in range(free.shape[1] - DEVICES):
            left = free[node, DEVICES + device]
            if share <= left < least and not (bits >> device) & 1:
                fullest, least = device, left
        if fullest == NOWHERE:
            return NOWHERE
        bits |= 1 << fullest
    return bits


@compiled
def put(state: DeviceState, need: Ints, node: int, one: int, devices: int) -> None:
    """Place an instance of class `one`, which waits and has room there."""
    at = state.held[node]
    state.held_class[node, at] = one
    state.held_devices[node, at] = devices
    state.held[node] = at + 1
    state.waiting[one] -= 1
    _use(state.free, need, node, one, devices, 1)


@compiled
def take(state: DeviceState, need: Ints, node: int, at: int) -> None:
    """Take the instance off that stands at a place of a node's row; the last one of the row moves there."""
    one, devices = state.held_class[node, at], state.held_devices[node, at]
    last = state.held[node] - 1
    state.held_class[node, at] = state.held_class[node, last]
    state.held_devices[node, at] = state.held_devices[node, last]
    state.held[node] = last
    state.waiting[one] += 1
    _use(state.free, need, node, one, devices, -1)


@compiled
def _use(free: Ints, need: Ints, node: int, one: int, devices: int, times: int) -> None:
    free[node, CPU] -= times * need[one, CPU]
    free[node, MEMORY] -= times * need[one, MEMORY]
    device = DEVICES
    while devices:
        if devices & 1:
            free[node, device] -= times * need[one, SHARE]
        devices >>= 1
        device += 1
