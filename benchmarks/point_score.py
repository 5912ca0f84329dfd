"""One measured point against its prediction, and what other points teach about the way back to the client."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from measured_points import Point
from prediction_score import Scored

from controller.performance.arrivals import SEED
from controller.performance.prediction import PERCENTILES, equivalent_load, predict
from controller.performance.serving import PerBatch, ServiceTimes, answered_us, latencies_us

WINDOWS = 15
"""Simulated windows, whose median p99 is compared at each load."""
FEWEST_SLOPES = 10
"""Below this many pairs of runs a slope says more of their noise than of the way back."""


def reply_path(points: Iterable[Point]) -> PerBatch:
    """The time between an execution's end and the client's having the answer, by mean batch: a Theil-Sen line."""
    known = list(points)
    known = [point for point in known if not point.stalled] or known
    pairs = [(point.mean_batch, point.mean_reply_us) for point in known]
    slopes = [(b - a) / (y - x) for (x, a), (y, b) in combinations(sorted(pairs), 2) if y - x > 1 / 4]
    each_us = max(0.0, statistics.median(slopes)) if len(slopes) >= FEWEST_SLOPES else 0.0
    level_us = statistics.median([time_us - each_us * size for size, time_us in pairs]) if pairs else 0.0
    return PerBatch(max(0.0, level_us), each_us)


def score(point: Point, service: ServiceTimes, *, replay: bool = False) -> Scored:
    """The errors of a prediction; `replay` feeds it the arrivals of the run itself, where they were kept."""
    found = predict(service, point.batching, point.load, window=point.requests)
    intervals = (found.p50, found.p95, found.p99)
    values: Sequence[float] = [interval.value_us for interval in intervals]
    if replay:
        latency_us = answered_us(service, point.batching, point.arrive_us)
        values = np.percentile(latency_us[-point.requests :], PERCENTILES).tolist()
    return Scored(
        name=point.name,
        kind=_kind(point),
        utilisation=found.utilisation,
        seen_us=point.seen_us,
        errors=tuple(value / seen - 1 for value, seen in zip(values, point.seen_us, strict=True)),
        covered=tuple(i.low_us <= seen <= i.high_us for i, seen in zip(intervals, point.seen_us, strict=True)),
        equivalent_load=_equivalent(point, service, replay=replay),
        disturbed=point.stalled,
    )


def _equivalent(point: Point, service: ServiceTimes, *, replay: bool) -> float:
    """The factor on the rate at which the prediction is what was seen."""

    def p99_at(factor: float) -> float:
        if replay:
            latency_us = answered_us(service, point.batching, point.arrive_us / factor)[-point.requests :]
            return float(np.percentile(latency_us, 99))
        load = replace(point.load, rate_rps=factor * point.load.rate_rps)
        windows = (latencies_us(service, point.batching, load, point.requests, SEED + at) for at in range(WINDOWS))
        return float(np.median([np.percentile(latency_us, 99) for latency_us in windows]))

    return equivalent_load(p99_at, point.seen_us[-1])


def _kind(point: Point) -> str:
    batching = point.batching
    arrivals = "bursty" if point.load.burst.depth else "poisson"
    core = " shared core" if point.shares_core else ""
    return f"{len(batching.speeds)}x b{batching.max_batch} d{batching.queue_delay_us:.0f} {arrivals}{core}"
