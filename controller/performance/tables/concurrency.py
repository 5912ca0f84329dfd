"""Mean and p99 latency at concurrencies above those that were measured.

Lines (`line`) with three recencies are fitted to each sweep and averaged on a logarithmic scale, which leaves no single
recency to be chosen. The sweeps of one kind (one model, executed in one way, on several devices or data sets) share
where between the two asymptotes they stand; `random_effects` says how much each hears of the others. The p99 is the
mean times one plus an excess (`tail_excess`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.performance.tables.line import Array, Line, fit_line
from controller.performance.tables.measurement import Sweep
from controller.performance.tables.random_effects import Belief, Scatter, beliefs
from controller.performance.tables.tail_excess import excess_at, excess_at_end

RECENCIES: Final = (2.0, 2.5, 3.0)
ANYWHERE: Final = Belief(mean=1 / 2, variance=1 / 12)
"""The mean and variance of a share of which nothing is known but that it lies between 0 and 1."""
SCATTER: Final = Scatter(expected=ANYWHERE.variance**0.5, weight=2.0)
"""Shares of a kind are expected to stand apart as any two do, until they show otherwise. That counts as two degrees of
freedom: half a vote against the three others of a kind of four."""
DECAY: Final = 0.25
"""The exponent with which the tail's excess falls: the middle of its two extremes (`tail_excess`)."""


@dataclass(frozen=True, slots=True)
class ConcurrencyCurve:
    """What one sweep says about any concurrency above those it has."""

    lines: tuple[Line, ...]
    end: float
    excess: float
    decay: float

    def mean_ms(self, concurrency: Array) -> Array:
        """The mean latency in ms."""
        logs: Array = np.mean([np.log(line.at(concurrency)) for line in self.lines], axis=0)
        return np.exp(logs)

    def p99_ms(self, concurrency: Array) -> Array:
        """The p99 latency in ms."""
        return self.mean_ms(concurrency) * (1 + excess_at(self.excess, concurrency, self.end, self.decay))


def fit_concurrency(sweeps: Sequence[Sweep], decay: float = DECAY) -> list[ConcurrencyCurve]:
    """The curve of each sweep, in the order given; every sweep must have two concurrencies or more."""
    kinds: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for i, sweep in enumerate(sweeps):
        kinds[sweep[0].setup.kind].append(i)
    curves: dict[int, ConcurrencyCurve] = {}
    for members in kinds.values():
        curves |= zip(members, _fit_kind([sweeps[i] for i in members], decay), strict=True)
    return [curves[i] for i in range(len(sweeps))]


def _fit_kind(sweeps: Sequence[Sweep], decay: float) -> list[ConcurrencyCurve]:
    points = [_points(sweep) for sweep in sweeps]
    by_recency = [_lines([(n, mean) for n, mean, _ in points], recency) for recency in RECENCIES]
    return [
        ConcurrencyCurve(lines, float(arrays[0][-1]), excess_at_end(*arrays, decay), decay)
        for lines, arrays in zip(zip(*by_recency, strict=True), points, strict=True)
    ]


def _points(sweep: Sweep) -> tuple[Array, Array, Array]:
    """Concurrencies, means and p99s."""
    rows = np.array([(row.concurrency, row.mean_ms, row.tail_ms) for row in sweep], dtype=np.float64)
    return rows[:, 0], rows[:, 1], rows[:, 2]


def _lines(points: Sequence[tuple[Array, Array]], recency: float) -> list[Line]:
    """Each sweep's line alone first, then again with what the others of its kind say about its share."""
    alone = [fit_line(n, mean, recency) for n, mean in points]
    heard = beliefs([line.share for line in alone], [line.share_variance for line in alone], ANYWHERE, SCATTER)
    return [fit_line(n, mean, recency, belief) for (n, mean), belief in zip(points, heard, strict=True)]
