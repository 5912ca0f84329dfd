"""Other ways to place pods, from their published descriptions; each places pods one by one and moves none afterwards.

- Best fit decreasing: the pod with the most GPUs, then CPU, first, where the least would be left of a node.
- The scheduler of Kubernetes: `NodeResourcesFit` with LeastAllocated and `NodeResourcesBalancedAllocation`, which are
  its defaults, over CPU and memory; or MostAllocated over CPU, memory and, for pods that want one, GPUs. Scores are
  whole numbers from 0 to 100. A share of a GPU is taken of the fullest GPU that has it, as the GPU share plugin does.
- FGD: where the fragmentation grows least, each device that has the share being tried.

All but the first place pods as they arrive. Of nodes with the same score the first one is taken.
"""

from typing import Final

import numpy as np
from packing_fragments import Typical, fragments

from controller.compiled import compiled
from controller.planning.fleet.device_state import NOWHERE, DeviceState, devices_for, put, take
from controller.planning.fleet.devices import CPU, DEVICES, MEMORY, SHARE, DeviceProblem, Flags, Ints

BEST_FIT: Final = 0
LEAST_ALLOCATED: Final = 1
MOST_ALLOCATED: Final = 2
FGD: Final = 3
PEERS: Final = {
    "best fit decreasing": BEST_FIT,
    "kubernetes, least allocated": LEAST_ALLOCATED,
    "kubernetes, most allocated": MOST_ALLOCATED,
    "FGD": FGD,
}


def decreasing(problem: DeviceProblem, arrivals: Ints) -> Ints:
    """The pods by GPUs, CPU and memory, the largest first."""
    need = problem.class_need[arrivals]
    return arrivals[np.lexsort((-need[:, MEMORY], -need[:, CPU], -need[:, DEVICES] * need[:, SHARE]))]


@compiled
def place_each(
    state: DeviceState, there: Ints, need: Ints, allowed: Flags, arrivals: Ints, peer: int, often: Typical
) -> None:
    """Place the pods in order; `there` is what an empty node of each kind has."""
    fragmented = np.zeros(state.held.size)
    if peer == FGD:
        for node in range(fragmented.size):
            fragmented[node] = fragments(state, node, often)
    for one in arrivals:
        best, bits, most = NOWHERE, NOWHERE, -np.inf
        for node in range(state.held.size):
            devices = _room(state, need, allowed, node, one)
            if devices == NOWHERE:
                continue
            if peer == FGD:
                devices, score = least_growth(state, need, node, one, devices, fragmented[node], often)
            else:
                score = scored(state.free[node], there[state.node_kind[node]], need[one], peer)
            if score > most:
                best, bits, most = node, devices, score
        if best != NOWHERE:
            put(state, need, best, one, bits)
            if peer == FGD:
                fragmented[best] = fragments(state, best, often)


@compiled
def _room(state: DeviceState, need: Ints, allowed: Flags, node: int, one: int) -> int:
    """The bits of the devices that a pod would use there; NOWHERE without room."""
    if not allowed[one, state.node_kind[node]]:
        return NOWHERE
    if state.free[node, CPU] < need[one, CPU] or state.free[node, MEMORY] < need[one, MEMORY]:
        return NOWHERE
    return devices_for(state.free, node, need[one, DEVICES], need[one, SHARE])


@compiled
def scored(free: Ints, there: Ints, wants: Ints, peer: int) -> float:
    """How well a pod suits a node that has room for it: the higher, the better."""
    cpu, memory = free[CPU] - wants[CPU], free[MEMORY] - wants[MEMORY]
    gpus, of_gpus = free[DEVICES:].sum() - wants[DEVICES] * wants[SHARE], there[DEVICES:].sum()
    if peer == BEST_FIT:
        left = cpu / there[CPU] + memory / there[MEMORY]
        return -(left + gpus / of_gpus) if of_gpus > 0 else -left
    if peer == LEAST_ALLOCATED:
        allocated = (cpu * 100 // there[CPU] + memory * 100 // there[MEMORY]) // 2
        apart = abs(cpu / there[CPU] - memory / there[MEMORY]) / 2
        return float(allocated + int((1 - apart) * 100))
    total = (there[CPU] - cpu) * 100 // there[CPU] + (there[MEMORY] - memory) * 100 // there[MEMORY]
    if wants[DEVICES] == 0:
        return float(total // 2)
    return float((total + (of_gpus - gpus) * 100 // of_gpus) // 3)


@compiled
def least_growth(
    state: DeviceState, need: Ints, node: int, one: int, devices: int, before: float, often: Typical
) -> tuple[int, float]:
    """The bits of the devices with which the fragmentation grows least, and how much it falls then."""
    if need[one, DEVICES] != 1 or need[one, SHARE] == 1000:  # noqa: PLR2004 - a whole device is like any other
        return devices, before - _after(state, need, node, one, devices, often)
    best, most = devices, -np.inf
    for device in range(state.free.shape[1] - DEVICES):
        if state.free[node, DEVICES + device] >= need[one, SHARE]:
            falls = before - _after(state, need, node, one, 1 << device, often)
            if falls > most:
                best, most = 1 << device, falls
    return best, most


@compiled
def _after(state: DeviceState, need: Ints, node: int, one: int, devices: int, often: Typical) -> float:
    put(state, need, node, one, devices)
    found = fragments(state, node, often)
    take(state, need, node, state.held[node] - 1)
    return found
