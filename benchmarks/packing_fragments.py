"""Fragmentation as FGD counts it (Weng et al., USENIX ATC 2023): GPU shares that the next pod is not expected to use.

The next pod is drawn from the typical classes of the workload. One that does not fit a node can use nothing of it; one
that fits cannot use devices with less left than the share that it wants. Pods without a GPU can use none. Memory is not
looked at, as in the paper.
"""

from typing import NamedTuple

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.device_state import DeviceState
from controller.planning.fleet.devices import CPU, DEVICES, SHARE, DeviceProblem, Flags, Floats, Ints

TYPICAL = 0.95
"""Of the pods, those of the commonest classes."""


class Typical(NamedTuple):
    """Classes of pods, by how often they come."""

    need: Ints
    allowed: Flags
    part: Floats


def typical(problem: DeviceProblem) -> Typical:
    """The commonest classes that make up most pods; their parts add up to 1."""
    order = np.argsort(-problem.class_count, kind="stable")
    part = problem.class_count[order] / problem.class_count.sum()
    chosen = order[: int(np.searchsorted(np.cumsum(part), TYPICAL)) + 1]
    counts = problem.class_count[chosen]
    return Typical(problem.class_need[chosen], problem.class_allowed[chosen], counts / counts.sum())


def fragmented_gpus(state: DeviceState, often: Typical) -> float:
    """Of all nodes, in GPUs."""
    return sum(fragments(state, node, often) for node in range(state.held.size)) / 1000


@compiled
def fragments(state: DeviceState, node: int, often: Typical) -> float:
    """Shares of a node's devices that the next pod is not expected to be able to use."""
    left = state.free[node, DEVICES:]
    total = left.sum()
    if total == 0:
        return 0.0
    expected = 0.0
    for i in range(often.part.size):
        share, wide, unusable = often.need[i, SHARE], 0, 0
        for shares in left:
            if shares >= share:
                wide += 1
            else:
                unusable += shares
        wanted = often.need[i, DEVICES]
        enough = state.free[node, CPU] >= often.need[i, CPU] and often.allowed[i, state.node_kind[node]]
        fits = enough and wanted > 0 and wide >= wanted
        expected += often.part[i] * (unusable if fits else total)
    return expected
