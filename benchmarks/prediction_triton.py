"""How far predictions of a Triton's latency are from what clients saw.

`--measured TABLE` scores earlier runs, twice. *From the same run*: the service times come from the run's own
statistics, and the arrivals are those of the run where they were kept; that scores the model of the server. *From other
runs*: the service times come from other runs of the same profile, and the arrivals are made; that scores all that goes
into a prediction. The way from the server back to the client is always taken from other runs. The figures at
the top of the JSON object are the first; `from_other_runs` has the second.
"""

import argparse
import statistics
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from measured_points import Point, read_points
from prediction_score import Scored, last_line, report

from controller.performance.prediction import NEAR, PERCENTILES, equivalent_load, predict
from controller.performance.service_curve import service_curve
from controller.performance.serving import PYTHON_BACKEND_GAP, PerBatch, ServiceTimes, answered_us

REQUESTS = 60_000


def reply_path(points: Iterable[Point]) -> PerBatch:
    """The time between an execution's end and the client's having the answer, by mean batch: a Theil-Sen line."""
    pairs = [(_mean_batch(point), point.mean_reply_us) for point in points if not point.stalled]
    slopes = [(b - a) / (y - x) for (x, a), (y, b) in combinations(pairs, 2) if y - x > 1 / 4]
    each_us = max(0.0, statistics.median(slopes))
    return PerBatch(max(0.0, statistics.median([time - each_us * size for size, time in pairs])), each_us)


def _mean_batch(point: Point) -> float:
    return sum(item.batch * item.executions for item in point.times) / sum(item.executions for item in point.times)


def score_table(points: Sequence[Point], *, same_run: bool) -> list[Scored]:
    """Every point that can be predicted: from other runs only those whose profile has any."""
    scored = []
    for point in points:
        others = [other for other in points if other is not point]
        known = [point] if same_run else [other for other in others if other.profile == point.profile]
        times = [item for other in known for item in other.times]
        if times:
            curve = service_curve(times, point.batching.max_batch)
            service = ServiceTimes(curve, point.spread, PYTHON_BACKEND_GAP, reply_path(others))
            scored.append(_score(point, service, replay=same_run and point.arrive_us.size > 0))
    return scored


def _score(point: Point, service: ServiceTimes, *, replay: bool) -> Scored:
    found = predict(service, point.batching, point.load, window=point.requests, requests=REQUESTS)
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
    if not replay:
        return equivalent_load(service, point.batching, point.load, point.seen_us[-1])
    low, high = 0.2, 3.0
    while high - low > NEAR:
        factor = (low + high) / 2
        latency_us = answered_us(service, point.batching, point.arrive_us / factor)[-point.requests :]
        low, high = (factor, high) if np.percentile(latency_us, 99) < point.seen_us[-1] else (low, factor)
    return (low + high) / 2


def _kind(point: Point) -> str:
    batching = point.batching
    arrivals = "bursty" if point.load.burst.depth else "poisson"
    core = " shared core" if point.profile.startswith("C") and len(batching.speeds) > 1 else ""
    return f"{len(batching.speeds)}x b{batching.max_batch} d{batching.queue_delay_us:.0f} {arrivals}{core}"


def main() -> None:
    """Score a table, or measure and score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measured", type=Path, required=True, help="a table of points that were measured earlier")
    arguments = parser.parse_args()
    points = read_points(arguments.measured)
    result = report("from the same run", score_table(points, same_run=True))
    result["from_other_runs"] = report("from other runs", score_table(points, same_run=False))
    print(last_line(result))


if __name__ == "__main__":
    main()
