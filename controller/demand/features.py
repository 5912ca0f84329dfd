"""What the learning forecasters look at: one row of numbers for each interval, from what was known at its end.

The same compiled function makes the rows that are learnt from and the row that is forecast with, so the two cannot
drift apart. A missing value is NaN; means, maxima and smoothed levels are taken over what is there.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.demand.history import History

Rows = NDArray[np.float64]

RATES: Final = (0.6, 0.4, 0.25, 0.15, 0.08, 0.04, 0.02)
"""Of exponential smoothing: levels over the last 2 to 50 intervals."""
LAGS: Final = (0, 1, 2, 3, 4, 5, 7, 10, 15)
LOOK_BACK: Final = 240
"""Intervals that the recent part of a row looks at."""
AROUND: Final = 10
"""Intervals before and after the same time of another day that are looked at with it."""
DAYS: Final = 7

LAST: Final = 0
LEVELS: Final = 1
LAG: Final = LEVELS + len(RATES)
RECENT: Final = LAG + len(LAGS)
SEASON: Final = RECENT + 12
CHANGE: Final = SEASON + 8
WIDTH: Final = CHANGE + 6
"""Where groups of columns start: last count, smoothed levels, lags, recent shape and time, other days, their change."""


def row(history: History, horizon: int) -> Rows:
    """The row of the history's end, of shape (WIDTH,)."""
    only: Rows = rows(history, horizon, len(history.counts) - 1, len(history.counts))[0]
    return only


def rows(history: History, horizon: int, start: int, stop: int) -> Rows:
    """The rows of the ends of the intervals from `start` to `stop`, positions in `history.counts`."""
    found = np.full((stop - start, WIDTH), np.nan)
    from controller.demand.compiled import fill  # noqa: PLC0415 - numba takes a second that a start has no use for

    fill(history.counts, horizon, history.day, (history.first_index, start), found)
    return found
