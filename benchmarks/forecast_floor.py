"""How good the median could have been: what is left when the weights, or the line, are chosen afterwards.

All of these read a series before each interval as forecasts do, and know its whole in one respect:

- the forecaster that turned out best;
- the fixed weights of the forecasters, none negative and one in sum, that turned out best;
- the line through all inputs of the linear forecaster that turned out best on the intervals that it is scored on. It
  flatters the more the fewer they are: with 18 coefficients it follows the chance of 143 intervals, too.

`chance` is what nobody can avoid if arrivals are independent: the loss of the median of a Poisson count whose mean is
known, with each count taken for its mean. A programme's value is had from its dual, which has a row for each unknown.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.stats import poisson

from controller.demand import features
from controller.demand.features import LAST
from controller.demand.history import History
from controller.demand.linear import LEVEL, inputs_of

MOST = 4000
"""Intervals, spread evenly, that are looked at of a long series."""
SOLVE_S = 60.0
FLOORS = ("ours", "best_forecaster", "best_weights", "best_line", "chance")
Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Medians:
    """What was said of each interval: the median given, the forecasters' own (one a column), and the last value."""

    given: Series
    own: Series
    last: Series


def floors(counts: Series, said: Medians, interval_s: int, horizon: int) -> dict[str, float]:
    """Sums of absolute errors over the same intervals, by what made them; `last` is the last value's."""
    scored = np.flatnonzero(~np.isnan(counts) & ~np.isnan(said.given) & ~np.isnan(said.last))
    if not len(scored):
        return dict.fromkeys(("last", *FLOORS), 0.0)
    at = scored[np.linspace(0, len(scored) - 1, min(MOST, len(scored))).astype(int)]
    seen = counts[at]
    own = np.where(np.isnan(said.own[at]), said.given[at, None], said.own[at])
    errors = np.abs(seen[:, None] - own).sum(axis=0)
    return {
        "last": float(np.abs(seen - said.last[at]).sum()),
        "ours": float(np.abs(seen - said.given[at]).sum()),
        "best_forecaster": float(errors.min()),
        "best_weights": _best_mean(own, seen),
        "best_line": _best_line(counts, at, interval_s, horizon),
        "chance": float(_poisson_error(seen).sum()),
    }


def over_last(sums: list[dict[str, float]]) -> dict[str, float] | None:
    """Errors over the last value's, of several series together; None where there are none."""
    whole = sum(item["last"] for item in sums)
    if not whole:
        return None
    return {name: round(sum(item[name] for item in sums) / whole, 3) for name in FLOORS}


def _best_mean(own: Series, seen: Series) -> float:
    """The least sum |seen - own w| over w >= 0 of sum one."""
    scale = max(1.0, float(seen.max()))
    rows = np.hstack([own.T / scale, np.ones((own.shape[1], 1))])
    return scale * _value(np.append(seen / scale, 1.0), len(seen), A_ub=rows, b_ub=np.zeros(len(rows)))


def _best_line(counts: Series, at: NDArray[np.int64], interval_s: int, horizon: int) -> float:
    """The least sum |counts - last - inputs b| over b."""
    history = History(interval_s, 0, len(counts), counts)
    rows = features.rows(history, horizon, 0, len(counts))[at - horizon]
    known = ~np.isnan(rows[:, LAST])
    inputs = inputs_of(rows[known]) * (rows[known][:, [LEVEL]] + 1)
    inputs /= np.abs(inputs).max(axis=0) + 1e-9
    targets = counts[at][known] - rows[known, LAST]
    scale = max(1.0, float(np.abs(targets).max()))
    return scale * _value(targets / scale, len(targets), A_eq=inputs.T, b_eq=np.zeros(inputs.shape[1]))


def _value(gains: Series, bounded: int, **rows: Any) -> float:
    """The most that `gains` can bring; the first `bounded` unknowns lie between -1 and 1, others anywhere."""
    bounds = [(-1.0, 1.0)] * bounded + [(None, None)] * (len(gains) - bounded)
    found = linprog(-gains, bounds=bounds, method="highs", options={"time_limit": SOLVE_S}, **rows)
    if found.status != 0:
        raise RuntimeError(f"the solver stopped: {found.message}")
    return float(-found.fun)


def _poisson_error(means: Series) -> Series:
    """E |Y - m| for Y of these means and m its median: mean - m + 2 (m P(Y < m) - mean P(Y < m - 1))."""
    means = np.maximum(means, 1e-9)
    median = poisson.ppf(0.5, means)
    return np.asarray(
        means - median + 2 * (median * poisson.cdf(median - 1, means) - means * poisson.cdf(median - 2, means))
    )
