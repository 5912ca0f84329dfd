"""Gradient-boosted trees with the pinball loss (Friedman 2001; LightGBM, Ke et al. 2017).

Trees know states that a line does not: the minutes within a burst, a job that runs at twenty past the hour. They are
taught how far the count goes from an anchor, because a tree cannot reach beyond the values that it was taught.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from controller.demand import features
from controller.demand.features import LAST
from controller.demand.forecaster import Quantiles
from controller.demand.history import History

if TYPE_CHECKING:
    from lightgbm import Booster

FEWEST: Final = 240
MOST: Final = 20_160
"""Two weeks of minutes."""
ROUNDS: Final = 100
BINS: Final = 63
SETTINGS: Final[dict[str, Any]] = {
    "objective": "quantile",
    "num_leaves": 15,
    "learning_rate": 0.1,
    "min_data_in_leaf": 20,
    "max_bin": BINS,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 1,
    "verbose": -1,
}


@dataclass(frozen=True, slots=True)
class Trees:
    """Trees for each level, on the difference to the column `anchor` of the features; grown anew once a day."""

    name: str
    anchor: int = LAST
    refit_intervals: int = 1440

    def fit(self, history: History, horizon_intervals: int, levels: Sequence[float]) -> "FittedTrees | None":
        """None below FEWEST intervals with a known outcome."""
        end = len(history.counts) - horizon_intervals
        start = max(0, end - MOST)
        if end - start < FEWEST:
            return None
        rows = features.rows(history, horizon_intervals, start, end)
        targets = history.counts[start + horizon_intervals : end + horizon_intervals] - rows[:, self.anchor]
        known = ~np.isnan(targets)
        if known.sum() < FEWEST:
            return None
        import lightgbm  # noqa: PLC0415 - a second that a controller's start has no use for

        data = lightgbm.Dataset(rows[known], targets[known], params={"max_bin": BINS, "verbose": -1})
        boosters = tuple(lightgbm.train(SETTINGS | {"alpha": level}, data, ROUNDS) for level in levels)
        return FittedTrees(horizon_intervals, self.anchor, boosters)


@dataclass(frozen=True, slots=True, eq=False)
class FittedTrees:
    """See Trees."""

    horizon: int
    anchor: int
    boosters: "tuple[Booster, ...]"

    def forecast(self, history: History) -> Quantiles | None:
        """None when nothing was seen lately."""
        row = features.row(history, self.horizon)
        if np.isnan(row[self.anchor]):
            return None
        inputs = row[np.newaxis]
        shifts = [booster.predict(inputs, num_threads=1, validate_features=False)[0] for booster in self.boosters]
        return np.asarray(row[self.anchor] + np.array(shifts))
