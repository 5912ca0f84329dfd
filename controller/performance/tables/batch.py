"""Latency at batch sizes between those that were measured.

Executing a batch of b takes some time that b does not change (launching kernels, reading the weights) and some that
grows with it. Executed one after the other the two add (c = 1); overlapped, the larger alone is seen (c = infinity). In
between,

    latency(b)^c = fixed^c + (slope * b)^c

which between two measured sizes is a straight line of latency^c in b^c. How sharp the corner is belongs to the device
and to the way that networks are executed, so it is learned from the complete batch sweeps of other models (`Corners`).
The p99 is the mean times a ratio whose logarithm is linear in log b between the measured sizes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.performance.tables.measurement import Sweep

Array = NDArray[np.float64]
SHARPNESS: Final[Array] = np.exp(np.arange(math.log(0.7), math.log(3.2), 0.05))
"""Below 1 the middle is slower than a straight line: large kernels are then the more efficient ones."""
UNTAUGHT: Final = 1.0
"""A straight line, where there is no sweep to learn from."""


@dataclass(frozen=True, slots=True)
class BatchCurve:
    """Mean and p99 in ms at batch sizes of one sweep, ascending, and its sharpness."""

    batches: Array
    means_ms: Array
    tails_ms: Array
    sharpness: float

    def mean_ms(self, batches: Array) -> Array:
        """The mean at any batch size; beyond the measured ones along the nearest pair, never below its latencies."""
        return _between(self.batches, self.means_ms, batches, self.sharpness)

    def p99_ms(self, batches: Array) -> Array:
        """The p99 at any batch size."""
        logs = np.interp(np.log(batches), np.log(self.batches), np.log(self.tails_ms / self.means_ms))
        return self.mean_ms(batches) * np.exp(logs)


def _between(known: Array, latencies_ms: Array, batches: Array, sharpness: float) -> Array:
    at = np.clip(np.searchsorted(known, batches) - 1, 0, len(known) - 2)
    low, high = known[at] ** sharpness, known[at + 1] ** sharpness
    below, above = latencies_ms[at] ** sharpness, latencies_ms[at + 1] ** sharpness
    powers = below + (above - below) * (batches**sharpness - low) / (high - low)
    floor = np.where(batches > known[at + 1], latencies_ms[at + 1] ** sharpness, 0.0)
    found: Array = np.maximum(powers, np.maximum(floor, np.finfo(float).tiny)) ** (1 / sharpness)
    return found


@dataclass(frozen=True, slots=True)
class _Lesson:
    """A complete sweep: where it was measured and by its sharpness the summed relative error of its middle sizes."""

    device: str
    execution: str
    errors: Array


@dataclass(frozen=True, slots=True)
class Corners:
    """What complete sweeps teach about the sharpness."""

    lessons: tuple[_Lesson, ...]

    @classmethod
    def learned(cls, sweeps: Sequence[Sweep]) -> "Corners":
        """Lessons from sweeps that have sizes between their ends."""
        return cls(tuple(_lesson(sweep) for sweep in sweeps))

    def curve(self, sweep: Sweep) -> BatchCurve:
        """The curve through a sweep's sizes. It must have two or more, in their order."""
        batches, means, tails = _arrays(sweep)
        return BatchCurve(batches, means, tails, self._sharpness(sweep))

    def _sharpness(self, sweep: Sweep) -> float:
        """The best on the same device and execution; all other sweeps together count as one more.

        So one that has no like takes what is best for all, and one that has many is not led astray by the rest.
        """
        if not self.lessons:
            return UNTAUGHT
        like = (sweep[0].device, execution(sweep[0].setup.engine))
        near = [lesson.errors for lesson in self.lessons if (lesson.device, lesson.execution) == like]
        far = [lesson.errors for lesson in self.lessons if (lesson.device, lesson.execution) != like]
        errors = np.sum(near, axis=0) if near else np.zeros_like(SHARPNESS)
        if far:
            errors = errors + np.mean(far, axis=0)
        return float(SHARPNESS[int(np.argmin(errors))])


def execution(engine: str) -> str:
    """How an engine executes networks: compiled to fused kernels, operator by operator from PyTorch, or otherwise."""
    if "torch" in engine.lower():
        return "eager"
    return "compiled" if "TensorRT" in engine else "other"


def _lesson(sweep: Sweep) -> _Lesson:
    batches, means, _ = _arrays(sweep)
    middle, wanted = batches[1:-1], means[1:-1]
    ends = batches[[0, -1]], means[[0, -1]]
    errors = [float(np.abs(_between(*ends, middle, sharpness) / wanted - 1).sum()) for sharpness in SHARPNESS]
    return _Lesson(sweep[0].device, execution(sweep[0].setup.engine), np.array(errors))


def _arrays(sweep: Sweep) -> tuple[Array, Array, Array]:
    rows = np.array([(row.batch, row.mean_ms, row.tail_ms) for row in sweep], dtype=np.float64)
    return rows[:, 0], rows[:, 1], rows[:, 2]
