"""How far the p99 stands above the mean in a closed loop, and how that goes on with the concurrency.

The excess e = p99 / mean - 1 falls as more requests share a saturated server: a request's latency is then the sum of
more service times, whose relative deviation falls with N^-1/2 when they are independent and not at all when they are
the same (one slow second slows them all). `decay` is the exponent between the two:

    e(N) = e_h * (N / N_h)^-decay

e_h is the weighted median of what the sweep shows, each point moved to N_h. The weight (N / N_h)^2 over the ratio makes
it the value of the least relative error of the p99, not of the excess.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LEAST_EXCESS: Final = 1e-4
"""A p99 at or below the mean is rounding; its excess must have a logarithm."""
RECENCY: Final = 2.0


def excess_at_end(concurrency: Array, mean_ms: Array, tail_ms: Array, decay: float) -> float:
    """e_h of a sweep, its points in the order of their concurrency."""
    ratio = tail_ms / mean_ms
    moved = np.maximum(ratio - 1, LEAST_EXCESS) * (concurrency / concurrency[-1]) ** decay
    order = np.argsort(moved)
    weights = np.cumsum(((concurrency / concurrency[-1]) ** RECENCY / ratio)[order])
    return float(moved[order][np.searchsorted(weights, weights[-1] / 2)])


def excess_at(excess_end: float, concurrency: Array, end: float, decay: float) -> Array:
    """e(N) beyond the end of a sweep."""
    found: Array = excess_end * (concurrency / end) ** -decay
    return found
