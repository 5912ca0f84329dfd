"""The same work on several devices: a setup, a batch and a concurrency, with its latencies by device."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from controller.performance.tables.measurement import Measurement, Setup, batch_sweeps

Key = tuple[Setup, int, int]
"""A setup, a batch and a concurrency."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Mean and p99, as natural logarithms of ms."""

    log_mean: float
    log_tail: float


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work. `on` are its latencies by the device's name in the table.

    `batch_elasticity` is d log(latency) / d log(batch) by device, where the batch was varied: how much of the time is
    the work itself, and not what is spent once for a batch of any size.
    """

    setup: Setup
    batch: int
    concurrency: int
    on: dict[str, Latency]
    batch_elasticity: dict[str, float]


def common_work(rows: Sequence[Measurement]) -> list[Work]:
    """All work of a table, in the order of its first row; the last of several measurements of the same counts."""
    elasticities = _elasticities(rows)
    on: dict[Key, dict[str, Latency]] = defaultdict(dict)
    for row in rows:
        key = (row.setup, row.batch, row.concurrency)
        on[key][row.device] = Latency(float(np.log(row.mean_ms)), float(np.log(row.tail_ms)))
    return [Work(*key, on=found, batch_elasticity=elasticities.get(key, {})) for key, found in on.items()]


def _elasticities(rows: Sequence[Measurement]) -> dict[Key, dict[str, float]]:
    """By work and device, where the batch was varied and no size was measured twice."""
    found: dict[Key, dict[str, float]] = defaultdict(dict)
    for sweep in batch_sweeps(rows):
        batches = np.log([float(row.batch) for row in sweep])
        if np.any(np.diff(batches) == 0):
            continue
        slopes = np.gradient(np.log([row.mean_ms for row in sweep]), batches)
        for row, slope in zip(sweep, slopes, strict=True):
            found[row.setup, row.batch, row.concurrency][row.device] = float(slope)
    return found
