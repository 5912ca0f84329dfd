"""What a run's counters alone, without its statistics, tell of its service times."""

from collections.abc import Sequence

import numpy as np
from measured_points import Point

from collectors.snapshot import StageWork
from controller.performance.counters import matched
from controller.performance.service_curve import service_curve
from controller.performance.serving import PYTHON_BACKEND_GAP, ServiceTimes


def counted_curve(point: Point) -> tuple[float, ...]:
    """s(0) to s(largest) in us, from the sums that a Prometheus would have.

    Nothing is known of the model beforehand: what is expected, that a batch of two takes half as long again as one
    request, is the same for all.
    """
    largest = point.batching.max_batch
    requests = sum(item.batch * item.executions for item in point.times)
    executions = sum(item.executions for item in point.times)
    compute_us = sum(item.batch * item.total_us for item in point.times)
    if largest == 1:
        return (0.0, compute_us / requests)
    window_s = requests / point.load.rate_rps
    work = StageWork(window_s, requests, 0, executions, 0, compute_us, 0)
    expected = (0.0, *(0.5 + 0.5 * batch for batch in range(1, largest + 1)))
    return matched(work, point.batching, ServiceTimes(expected, point.spread, PYTHON_BACKEND_GAP)).batch_us


def curve_errors(points: Sequence[Point]) -> dict[str, object]:
    """How far s(1) and s(largest) are from what the statistics say, in percent, over the runs that batch."""
    errors = []
    for point in points:
        largest = point.batching.max_batch
        if largest > 1 and not point.shares_core:
            found, told = counted_curve(point), service_curve(point.times, largest)
            errors.append([abs(found[size] / told[size] - 1) for size in (1, largest)])
    spread = 100 * np.percentile(np.array(errors).reshape(-1, 2), (50, 90), axis=0)
    names = ("alone", "full_batch")
    return {
        "points": len(errors),
        **{
            name: {"median": round(a, 1), "p90": round(b, 1)}
            for name, (a, b) in zip(names, spread.T.tolist(), strict=True)
        },
    }
