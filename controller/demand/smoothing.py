"""Exponential smoothing of logarithms, a point that `Repeated` can forecast with.

    l <- l + rate * (log(1 + y) - l),    point = exp(l) - 1

Of counts that scatter around a wandering mean, a level so smoothed is the best that a line can do (Muth 1960). It is
smoothed in logarithms because a burst says little of the next count's median. A missing interval leaves the level.
"""

from dataclasses import dataclass

import numpy as np

from controller.demand.history import Counts
from controller.demand.residuals import Positions


@dataclass(frozen=True, slots=True)
class Level:
    """A level of this `rate`, from 0 to 1."""

    rate: float

    def __call__(self, counts: Counts, _horizon: int, _day: int, at: Positions) -> Counts:
        """The level at each position, of the counts from the first position on; NaN before the first count."""
        from controller.demand.compiled import smooth  # noqa: PLC0415 - numba takes a second that a start has no use for

        levels = np.full(len(at), np.nan)
        smooth(np.log1p(counts[at]), self.rate, levels)
        return np.asarray(np.expm1(levels))
