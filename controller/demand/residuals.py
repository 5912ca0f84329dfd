"""Forecasts that repeat something, with the quantiles of how far that was off before.

q(level) = point(t) + quantile of y(s + h) - point(s) over the last day of s

Of n residuals the quantile is the one at the place (n + 1) * level in their order, below which a further one lies with
that probability, if it is like the others (split conformal prediction; Lei et al. 2018). Where there is no such place,
for want of residuals, their tail is taken to be exponential beyond the largest.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.demand.forecaster import Quantiles
from controller.demand.history import Counts, History

FEWEST: Final = 12
"""Residuals below which their quantiles say nothing."""
MOST: Final = 1440
NEVER_REFIT: Final = 1 << 30

Positions = NDArray[np.int64]
Point = Callable[[Counts, int, int, Positions], Counts]
"""(counts, horizon, intervals in a day, positions) -> the point forecast made at the end of each position."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """Repeats a point; learns nothing beyond the residuals, which it reads from the history each time."""

    name: str
    point: Point
    refit_intervals: int = NEVER_REFIT

    def fit(self, history: History, horizon_intervals: int, levels: Sequence[float]) -> "FittedRepeated":  # noqa: ARG002 - the protocol's
        """There is nothing to learn."""
        return FittedRepeated(self.point, horizon_intervals, np.array(levels))


@dataclass(frozen=True, slots=True, eq=False)
class FittedRepeated:
    """See Repeated."""

    point: Point
    horizon: int
    levels: Quantiles

    def forecast(self, history: History) -> Quantiles | None:
        """None with too few residuals."""
        counts, end = history.counts, len(history.counts)
        origins = np.arange(max(0, end - self.horizon - MOST), end)
        points = self.point(counts, self.horizon, history.day, origins)
        settled = max(0, len(origins) - self.horizon)
        residuals = counts[origins[:settled] + self.horizon] - points[:settled]
        residuals = residuals[~np.isnan(residuals)]
        if len(residuals) < FEWEST or np.isnan(points[-1]):
            return None
        return np.asarray(points[-1] + of_the_next(residuals, self.levels))


def of_the_next(residuals: Counts, levels: Quantiles) -> Quantiles:
    """The quantiles of a further residual."""
    ordered, n = np.sort(residuals), len(residuals)
    inside = np.interp((n + 1) * levels - 1, np.arange(n), ordered)
    top = math.isqrt(n)
    scale = ordered[-top:].mean() - ordered[-top - 1]
    beyond = np.maximum(0.0, -np.log((n + 1) * (1 - levels)))
    return np.asarray(inside + scale * beyond)


def last_value(counts: Counts, _horizon: int, _day: int, at: Positions) -> Counts:
    """The last count seen at or before each position, of those from the first position on."""
    values = counts[at]
    newest = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(len(values))))
    return np.asarray(values[newest])


def same_time_of_day(counts: Counts, horizon: int, day: int, at: Positions) -> Counts:
    """The count of the interval in question on the latest day that is known; NaN where there is none."""
    back = day * -(-horizon // day)
    then = at + horizon - back
    return np.asarray(np.where(then >= 0, counts[np.maximum(then, 0)], np.nan))
