"""Fills the rows of controller/demand/features.py, compiled: a fit makes twenty thousand of them."""

from typing import Final

import numpy as np

from controller.compiled import compiled
from controller.demand.features import (
    AROUND,
    CHANGE,
    DAYS,
    LAG,
    LAGS,
    LAST,
    LEVELS,
    LOOK_BACK,
    RATES,
    RECENT,
    SEASON,
    Rows,
)
from controller.demand.history import Counts

_RATES: Final = np.array(RATES)
_LAGS: Final = np.array(LAGS)


@compiled
def fill(counts: Counts, horizon: int, day: int, origin: tuple[int, int], out: Rows) -> None:
    """Fill rows of NaN; `origin` is the index of the first count, and the position of the first row."""
    first_index, start = origin
    hour = max(1, day // 24)
    for i in range(out.shape[0]):
        at = start + i
        _recent(counts, at, out[i])
        due = first_index + at + horizon
        out[i, RECENT + 9] = due % day
        out[i, RECENT + 10] = due % hour
        out[i, RECENT + 11] = due // day % DAYS
        _season(counts, at, horizon, day, out[i])


@compiled
def _recent(counts: Counts, at: int, out: Rows) -> None:
    """Last count, smoothed levels, lags, and the shape of the last LOOK_BACK intervals."""
    begin = max(0, at - LOOK_BACK + 1)
    total, seen = 0.0, 0
    for j in range(begin, at + 1):
        value = counts[j]
        if np.isnan(value):
            continue
        total, seen = total + value, seen + 1
        out[LAST] = value
        for k in range(len(_RATES)):
            level = out[LEVELS + k]
            out[LEVELS + k] = value if seen == 1 else level + _RATES[k] * (value - level)
    for k in range(len(_LAGS)):
        if at >= _LAGS[k]:
            out[LAG + k] = counts[at - _LAGS[k]]
    for k in range(3):
        if at > k:
            out[RECENT + k] = counts[at - k] - counts[at - k - 1]
    out[RECENT + 3] = _mean(counts, at - 4, at)
    out[RECENT + 4] = _most(counts, at - 14, at)
    out[RECENT + 5] = _most(counts, at - 59, at)
    out[RECENT + 6] = _most(counts, at - 119, at)
    for j in range(begin, at + 1):
        if counts[j] * seen > 2 * total:
            out[RECENT + 7] = at - j
    out[RECENT + 8] = out[LAST] - out[LEVELS + 3]


@compiled
def _season(counts: Counts, at: int, horizon: int, day: int, out: Rows) -> None:
    """The interval in question on other days, and how the count changed from now to then on each of them."""
    values = np.full(DAYS, np.nan)
    changes = np.full(DAYS, np.nan)
    for d in range(1, DAYS + 1):
        then = at + horizon - d * day
        if then <= at and then >= 0:
            values[d - 1] = counts[then]
            if then >= horizon:
                changes[d - 1] = counts[then] - counts[then - horizon]
    out[SEASON], out[SEASON + 1], out[SEASON + 2] = values[0], values[1], values[6]
    out[SEASON + 3] = _mean(values, 0, DAYS - 1)
    out[SEASON + 4] = _most(values, 0, DAYS - 1)
    yesterday, week = at + horizon - day, at + horizon - 7 * day
    out[SEASON + 5] = _mean(counts, yesterday - AROUND, min(at, yesterday + AROUND))
    out[SEASON + 6] = _most(counts, yesterday - AROUND, min(at, yesterday + AROUND))
    out[SEASON + 7] = _mean(counts, week - AROUND, min(at, week + AROUND))
    out[CHANGE], out[CHANGE + 1], out[CHANGE + 2] = changes[0], changes[1], changes[6]
    out[CHANGE + 3] = _mean(changes, 0, DAYS - 1)
    out[CHANGE + 4] = _most(changes, 0, DAYS - 1)
    out[CHANGE + 5] = -_most(-changes, 0, DAYS - 1)


@compiled
def _mean(values: Counts, begin: int, end: int) -> float:
    """Over the positions from `begin` to `end`, both included, that exist and are not missing; NaN over none."""
    total, seen = 0.0, 0
    for j in range(max(0, begin), min(len(values), end + 1)):
        if not np.isnan(values[j]):
            total, seen = total + values[j], seen + 1
    return total / seen if seen else np.nan


@compiled
def _most(values: Counts, begin: int, end: int) -> float:
    """The largest of the same positions."""
    most = np.nan
    for j in range(max(0, begin), min(len(values), end + 1)):
        if not np.isnan(values[j]) and not values[j] <= most:
            most = values[j]
    return most


@compiled
def smooth(values: Counts, rate: float, out: Counts) -> None:
    """Fill with the exponentially smoothed level at each value; NaN stays before the first one."""
    level = np.nan
    for i in range(len(values)):
        if np.isnan(level):
            level = values[i]
        elif not np.isnan(values[i]):
            level += rate * (values[i] - level)
        out[i] = level
