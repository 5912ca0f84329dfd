"""Which point to measure next, from those that were measured: as few as the wanted error allows.

Batch sizes: the ends first, then between two neighbours the size in the middle (geometrically, as service times bend
most where batches are small). Where a measured size lies well within the error on the line between its neighbours,
lines are good enough on both sides of it, and the sizes there are skipped; elsewhere both sides are halved again. A
profile is read with lines between its sizes, so that is the error that its readers will have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Final

from controller.profiling.measured import Progress

INSTANCES: Final = (1, 2, 4)
LEAST_GAIN: Final = 1.2
"""Twice the instances that answer less than this much more are instances that share a device that is full."""
VOUCHES: Final = 0.5
"""A size this far within the error vouches for those around it: of curves a + c * b^p, with p from 0.3 to 2, none is
more than twice as far from its lines as at the size that was measured."""
UTILISATIONS: Final = (0.5, 0.8)


@dataclass(frozen=True, slots=True)
class Goal:
    """What is asked for: a relative error, sizes up to `max_batch`, and what the server must not be driven beyond.

    `resizable` says whether the server lets the number of instances be changed.
    """

    max_batch: int
    resizable: bool
    error: float = 0.05
    latency_limit_us: float = 5_000_000.0


@dataclass(frozen=True, slots=True)
class MeasureBatch:
    """One client that sends batches of this size, one after another."""

    batch: int


@dataclass(frozen=True, slots=True)
class MeasureInstances:
    """So many instances, with enough clients to keep them busy."""

    instances: int


@dataclass(frozen=True, slots=True)
class CheckLoad:
    """Single requests at random times, at this part of what the model is thought to sustain."""

    utilisation: float


Step = MeasureBatch | MeasureInstances | CheckLoad


def next_step(progress: Progress, goal: Goal) -> Step | None:
    """What to measure now; None when all that was asked for is known."""
    batch = next_batch({point.batch: point.mean_us for point in progress.batches}, _within(progress, goal))
    if batch is not None:
        return MeasureBatch(batch)
    if goal.resizable and (count := _next_count(progress)) is not None:
        return MeasureInstances(count)
    done = [point.utilisation for point in progress.checks]
    return next((CheckLoad(part) for part in UTILISATIONS if part not in done), None)


def next_batch(mean_us: Mapping[int, float], goal: Goal) -> int | None:
    """The batch size to measure next, given the mean times of others; None when lines between them are good enough."""
    if 1 not in mean_us:
        return 1
    largest = max(mean_us)
    if largest < goal.max_batch:
        # Larger batches take at most proportionally longer: if even that is bearable, the last size can come at once.
        bearable = mean_us[largest] * goal.max_batch / largest <= goal.latency_limit_us
        return goal.max_batch if bearable else min(2 * largest, goal.max_batch)
    sizes = sorted(mean_us)
    vouched = {size for size in sizes[1:-1] if abs(line_error(mean_us, sizes, size)) <= VOUCHES * goal.error}
    for low, high in pairwise(sizes):
        if high - low > 1 and not {low, high} & vouched:
            return min(max(round(sqrt(low * high)), low + 1), high - 1)
    return None


def line_error(mean_us: Mapping[int, float], sizes: Sequence[int], size: int) -> float:
    """How far the line between a size's measured neighbours is from what was measured, as a part of it."""
    at = sizes.index(size)
    low, high = sizes[at - 1], sizes[at + 1]
    part = (size - low) / (high - low)
    return (mean_us[low] + part * (mean_us[high] - mean_us[low])) / mean_us[size] - 1


def _within(progress: Progress, goal: Goal) -> Goal:
    """The goal without the sizes that were too much."""
    if progress.largest is None:
        return goal
    return Goal(progress.largest, goal.resizable, goal.error, goal.latency_limit_us)


def _next_count(progress: Progress) -> int | None:
    points = progress.instances
    if len(points) > 1 and points[-1].answered_rps < LEAST_GAIN * points[-2].answered_rps:
        return None
    most = INSTANCES[-1] if progress.most_instances is None else progress.most_instances
    return next((count for count in INSTANCES[len(points) :] if count <= most), None)
