"""Exponential smoothing with a damped trend (Gardner and McKenzie 1985), a point that `Repeated` can forecast with.

    f = l + p * b,    e = y - f,    l <- f + a * e,    b <- p * b + a * c * e

with the level l and the trend b; the point at a horizon h is l + (p + p**2 + … + p**h) * b. Without a trend (c = 0) it
is the simple kind, which for counts that scatter around a wandering mean is the best that a line can do (Muth 1960). A
missing interval moves the level along the trend.
"""

from dataclasses import dataclass

import numpy as np

from controller.demand.history import Counts
from controller.demand.residuals import Positions


@dataclass(frozen=True, slots=True)
class Smoothed:
    """`rate` is a, `trend_rate` c and `damping` p, each from 0 to 1."""

    rate: float
    trend_rate: float = 0.0
    damping: float = 0.0

    def __call__(self, counts: Counts, horizon: int, _day: int, at: Positions) -> Counts:
        """The point at each position, from the counts at the positions before and at it alone."""
        from controller.demand.compiled import smooth  # noqa: PLC0415 - numba takes a second that a start has no use for

        points = np.full(len(at), np.nan)
        smooth(counts[at], horizon, (self.rate, self.trend_rate, self.damping), points)
        return points
