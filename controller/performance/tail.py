"""The tail of a whole path. Percentiles do not add; means do, and independent deviations add as squares.

The q-th percentile along a chain of stages is taken as sum(mean_i) + sqrt(sum((q_i - mean_i)^2)): exact for independent
normal deviations, and an upper estimate for the lighter of the exponential tails here. Over a DAG it is the largest of
its chains from a first to a last stage.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controller.performance.queueing import StageLatency
from policy.resolved import Stage

MEDIAN_BP: Final = 5000
PERCENTILES_BP: Final = (MEDIAN_BP, 9000, 9500, 9900, 9990)


def chains(stages: Sequence[Stage]) -> tuple[tuple[int, ...], ...]:
    """Every way from a stage without predecessor to one without successor, as indices into `stages`."""
    index = {stage.name: i for i, stage in enumerate(stages)}
    followers: dict[int, list[int]] = {i: [] for i in range(len(stages))}
    for i, stage in enumerate(stages):
        for before in stage.after:
            followers[index[before]].append(i)

    def extend(chain: tuple[int, ...]) -> list[tuple[int, ...]]:
        onward = followers[chain[-1]]
        return [chain] if not onward else [whole for i in onward for whole in extend((*chain, i))]

    return tuple(whole for i, stage in enumerate(stages) if not stage.after for whole in extend((i,)))


@dataclass(frozen=True, slots=True)
class Leg:
    """One stage on one option, network included: its mean, and the squared deviation of each percentile from it."""

    mean_us: float
    squares: tuple[float, ...]


def leg(stage: StageLatency, network_us: int) -> Leg:
    """What a stage and the hop to it add to a path."""
    mean_us = stage.mean_us
    squares = tuple((stage.quantile_us(bp) - mean_us) ** 2 if bp > MEDIAN_BP else 0.0 for bp in PERCENTILES_BP)
    return Leg(mean_us + network_us, squares)


def path_latency_us(ways: Sequence[Sequence[int]], legs: Sequence[Leg]) -> tuple[tuple[int, int], ...]:
    """(percentile, latency in us) for each known percentile, the slowest chain deciding. The median is the mean's."""
    slowest = [0.0] * len(PERCENTILES_BP)
    for way in ways:
        mean_us = sum([legs[i].mean_us for i in way])
        for at in range(len(slowest)):
            value = mean_us + math.sqrt(sum([legs[i].squares[at] for i in way]))
            slowest[at] = max(slowest[at], value)
    return tuple(zip(PERCENTILES_BP, map(round, slowest), strict=True))
