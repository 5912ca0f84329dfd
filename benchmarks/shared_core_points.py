"""What runs with one instance teach of several on the same core."""

import statistics
from collections.abc import Sequence
from dataclasses import replace

from measured_points import Point

from controller.performance.contention import handling_us
from controller.performance.serving import Batching

LEAST_CORES = 0.1


def typical_handling_us(known: Sequence[Point]) -> float:
    """What handling a request takes of the core, of runs with one instance."""
    return statistics.median(handling_us(run.times, run.load.rate_rps, run.busy) for run in known)


def on_shared_core(batching: Batching, rate_rps: float, known: Sequence[Point]) -> Batching:
    """A setting with what the handling of requests leaves of the core; `known` are runs with one instance."""
    return replace(batching, cores=max(LEAST_CORES, 1.0 - rate_rps * typical_handling_us(known) / 1e6))
