"""The same work on several devices: a setup, a batch and a concurrency, with its latencies by device."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.performance.tables.line import Array, fit_line
from controller.performance.tables.measurement import Measurement, Setup, Sweep, batch_sweeps, concurrency_sweeps

Key = tuple[Setup, int, int]
"""A setup, a batch and a concurrency."""
ALIKE: Final = 0.0
"""The recency of a line that is read within its sweep: every point counts the same."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Mean and p99, as natural logarithms of ms."""

    log_mean: float
    log_tail: float


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work. `on` are its latencies by the device's name in the table.

    `constant_share` is, by device, what part of the mean seems not to depend on the device's speed: what was measured
    outside the server, and of the rest what did not grow with the batch and the concurrency where those were varied.
    """

    setup: Setup
    batch: int
    concurrency: int
    on: dict[str, Latency]
    constant_share: dict[str, float]


def common_work(rows: Sequence[Measurement]) -> list[Work]:
    """All work of a table, in the order of its first row; the last of several measurements of the same counts."""
    fixed = _fixed_shares(rows)
    on: dict[Key, dict[str, Latency]] = defaultdict(dict)
    constant: dict[Key, dict[str, float]] = defaultdict(dict)
    for row in rows:
        key = _key(row)
        on[key][row.device] = Latency(float(np.log(row.mean_ms)), float(np.log(row.tail_ms)))
        shares = fixed.get((key, row.device), [])
        if shares or row.outside_ms is not None:
            outside = min(1.0, (row.outside_ms or 0.0) / row.mean_ms)
            constant[key][row.device] = 1 - (1 - outside) * (1 - float(np.mean(shares or [0.0])))
    return [Work(*key, on=found, constant_share=constant.get(key, {})) for key, found in on.items()]


def _key(row: Measurement) -> Key:
    return (row.setup, row.batch, row.concurrency)


def _fixed_shares(rows: Sequence[Measurement]) -> dict[tuple[Key, str], list[float]]:
    """By work and device, the share of the constant in a line through each sweep that the work is part of."""
    found: dict[tuple[Key, str], list[float]] = defaultdict(list)
    for sweep, sizes in _sweeps(rows):
        line = fit_line(sizes, np.array([row.mean_ms for row in sweep]), ALIKE)
        base = max(0.0, line.base_ms)
        for row, share in zip(sweep, base / (base + line.slope_ms * sizes), strict=True):
            found[_key(row), row.device].append(float(share))
    return found


def _sweeps(rows: Sequence[Measurement]) -> Iterator[tuple[Sweep, Array]]:
    """The sweeps over the batch and over the concurrency, each with what it varied."""
    for sweep in batch_sweeps(rows):
        yield sweep, np.array([row.batch for row in sweep], dtype=np.float64)
    for sweep in concurrency_sweeps(rows):
        yield sweep, np.array([row.concurrency for row in sweep], dtype=np.float64)
