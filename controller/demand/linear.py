"""Linear quantile regression (Koenker and Bassett 1978) on smoothed levels, last changes and other days.

Counts are divided by the level of the last 12 intervals or so, so that one set of coefficients serves night and day:

    (y(t + h) - last(t)) / (level(t) + 1) = x(t) b,    b = argmin of the pinball loss over the last 2000 intervals

The loss has an L1 penalty on each coefficient of PENALTY * s_j * sqrt(level * (1 - level) * n), s_j the root mean
square of its input, in the form of Belloni and Chernozhukov (2011), so that few rows do not teach much. It is itself
the pinball loss of two rows that hold nothing but plus and minus that weight.

The dual is a linear programme with a bounded variable for each row, which HiGHS solves in milliseconds; the
coefficients are the multipliers of its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.demand import features
from controller.demand.features import CHANGE, LAST, LEVELS, RATES, SEASON, Rows
from controller.demand.forecaster import Quantiles
from controller.demand.history import History

FEWEST: Final = 40
MOST: Final = 2000
PENALTY: Final = 1.0
SOLVE_S: Final = 5.0
LEVEL: Final = LEVELS + 4
"""The smoothed level that everything is divided by."""
COMPARED: Final = (*range(LEVELS, LEVELS + len(RATES)), SEASON, SEASON + 3, SEASON + 5, SEASON + 7)
"""Columns of which the difference to the last count is an input."""
CHANGES: Final = (features.RECENT, features.RECENT + 1, features.RECENT + 2, CHANGE, CHANGE + 3)
"""Columns that are differences already."""
UNPENALISED: Final = len(COMPARED) + len(CHANGES)
"""The input that is always 1."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Quantile regression, solved anew four times a day at intervals of a minute."""

    name: str = "linear"
    refit_intervals: int = 360

    def fit(self, history: History, horizon_intervals: int, levels: Sequence[float]) -> "FittedLinear | None":
        """None below FEWEST intervals with a known outcome."""
        end = len(history.counts) - horizon_intervals
        start = max(0, end - MOST)
        if end - start < FEWEST:
            return None
        rows = features.rows(history, horizon_intervals, start, end)
        scale = rows[:, LEVEL] + 1
        targets = (history.counts[start + horizon_intervals : end + horizon_intervals] - rows[:, LAST]) / scale
        known = ~np.isnan(targets)
        if known.sum() < FEWEST:
            return None
        inputs = inputs_of(rows[known])
        solved = [_solve(inputs, targets[known], level) for level in levels]
        kept = [found for found in solved if found is not None]
        return FittedLinear(horizon_intervals, np.array(kept)) if len(kept) == len(levels) else None


@dataclass(frozen=True, slots=True, eq=False)
class FittedLinear:
    """Coefficients, one row a level."""

    horizon: int
    coefficients: Rows

    def forecast(self, history: History) -> Quantiles | None:
        """None when nothing was seen lately."""
        row = features.row(history, self.horizon)
        if np.isnan(row[LAST]):
            return None
        shifts = self.coefficients @ inputs_of(row[np.newaxis])[0]
        return np.asarray(row[LAST] + shifts * (row[LEVEL] + 1))


def inputs_of(rows: Rows) -> Rows:
    """Inputs of the regression. What is missing counts as no difference to the last count."""
    scale = rows[:, [LEVEL]] + 1
    compared = (rows[:, COMPARED] - rows[:, [LAST]]) / scale
    changes = rows[:, CHANGES] / scale
    spread = np.sqrt(scale) / scale
    return np.nan_to_num(np.hstack([compared, changes, np.ones_like(scale), spread]))


def _solve(inputs: Rows, targets: Quantiles, level: float) -> Quantiles | None:
    """Coefficients that minimise the pinball loss at the level; None when the solver does not finish."""
    from scipy.optimize import linprog  # noqa: PLC0415 - half a second that a controller's start has no use for

    weights = PENALTY * np.sqrt(level * (1 - level) * (inputs**2).sum(axis=0))
    weights[UNPENALISED] = 0.0
    rows = np.vstack([inputs, np.diag(weights), -np.diag(weights)])
    values = np.concatenate([targets, np.zeros(2 * len(weights))])
    found = linprog(
        -values,
        A_eq=rows.T,
        b_eq=(1 - level) * rows.sum(axis=0),
        bounds=(0, 1),
        method="highs-ds",
        options={"time_limit": SOLVE_S},
    )
    return -np.asarray(found.eqlin.marginals) if found.status == 0 else None
