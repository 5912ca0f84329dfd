"""What runs with one instance teach of several on the same core."""

import statistics
from collections.abc import Sequence
from dataclasses import replace

from measured_points import Point

from controller.performance.contention import handling_us
from controller.performance.serving import Batching

LEAST_CORES = 0.1


def on_shared_core(point: Point, known: Sequence[Point]) -> Batching:
    """The point's setting with what the handling of requests leaves of the core."""
    typical_us = statistics.median(handling_us(run.times, run.load.rate_rps, run.busy) for run in known)
    return replace(point.batching, cores=max(LEAST_CORES, 1.0 - point.load.rate_rps * typical_us / 1e6))
