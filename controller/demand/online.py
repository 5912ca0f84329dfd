"""One series forecast as it goes: forecasters compared, mixed and calibrated by what came of their forecasts.

`State` is data and holds all that is learnt from outcomes; `Models` holds what was fitted, which the history alone
determines, so that a replay of the same counts gives the same forecasts to the last bit.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Self

import numpy as np

from controller.demand.calibration import MEDIAN, Stretch, calibrated, taught, unlearnt
from controller.demand.features import LEVELS as SMOOTHED
from controller.demand.forecaster import Fitted, Forecaster
from controller.demand.history import History
from controller.demand.linear import Linear
from controller.demand.mixing import Loss, Table, learned, mixed, pinball
from controller.demand.newcomer import Newcomer
from controller.demand.residuals import Repeated, last_value, same_time_of_day
from controller.demand.smoothing import Level
from controller.demand.trees import Trees

LEVELS: Final = (0.5, 0.9, 0.99)
FIRST_FIT: Final = 12
LIGHT: Final[tuple[Forecaster, ...]] = (
    Repeated("last value", last_value),
    Repeated("same time of day", same_time_of_day),
    Linear(),
    Repeated("quick level", Level(0.6)),
    Repeated("slow level", Level(0.1)),
)
"""For the many series of a large fleet that are small: trees take a MiB a series and most of the time."""
FORECASTERS: Final = (
    *LIGHT,
    Trees("trees from the last count"),
    Trees("trees from the level", anchor=SMOOTHED + 1),
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A forecast that waits for its interval: the one given, and by forecaster, None where one had nothing to say."""

    index: int
    by_forecaster: tuple[tuple[float, ...] | None, ...]
    given: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class State:
    """What outcomes have taught, of plain values: it can be written down and read back."""

    horizon_intervals: int
    levels: tuple[float, ...]
    losses: tuple[Loss, ...]
    stretches: tuple[Stretch, ...]
    pending: tuple[Pending, ...] = ()

    @classmethod
    def new(
        cls, horizon_intervals: int, levels: tuple[float, ...] = LEVELS, forecasters: int = len(FORECASTERS)
    ) -> Self:
        """Nothing learnt yet.

        Raises:
            ValueError: unless the horizon is positive and the levels ascend between 0 and 1 and hold the median.
        """
        ascend = all(low < high for low, high in pairwise((0.0, *levels, 1.0)))
        if horizon_intervals < 1 or not ascend or MEDIAN not in levels:
            raise ValueError(
                f"horizon {horizon_intervals}, levels {levels}: give 1 or more, and levels with the median"
            )
        zeros = (0.0,) * len(levels)
        return cls(
            horizon_intervals, levels, (Loss(0, 0, zeros),) * forecasters, tuple(unlearnt(level) for level in levels)
        )


@dataclass(slots=True)
class Models:
    """The fits of one series at one horizon, made when they are due. A cache: the history determines every one."""

    forecasters: tuple[Forecaster, ...] = FORECASTERS
    _fits: dict[int, tuple[int, Fitted | None]] = field(default_factory=dict)

    def forecast(self, history: History, horizon_intervals: int, levels: tuple[float, ...]) -> Table:
        """Quantiles by forecaster and level; a row of NaN where a forecaster has nothing to say."""
        table = np.full((len(self.forecasters), len(levels)), np.nan)
        for i, forecaster in enumerate(self.forecasters):
            due = last_fit(history.seen, forecaster.refit_intervals)
            if due and (i not in self._fits or self._fits[i][0] != due):
                self._fits[i] = due, forecaster.fit(history.when_seen(due), horizon_intervals, levels)
            fitted = self._fits[i][1] if due else None
            found = fitted.forecast(history) if fitted is not None else None
            if found is not None:
                table[i] = np.sort(found)
        return table


def last_fit(seen: int, most: int) -> int:
    """How many intervals had been seen when the fit in use after `seen` was made; 0 before the first.

    Each comes when the history has grown by a quarter, or by `most` intervals.
    """
    due = 0
    after = FIRST_FIT
    while after <= seen:
        due = after
        step = max(1, after // 4)
        after += step if step < most else most * max(1, (seen - after) // most)
    return due


def settle(state: State, history: History) -> State:
    """The state with the last interval's count held against what was forecast for it; a missing one teaches nothing."""
    index = history.end_index - 1
    due = next((item for item in state.pending if item.index == index), None)
    pending = tuple(item for item in state.pending if item.index > index)
    count = history.last
    if due is None or count is None:
        return State(state.horizon_intervals, state.levels, state.losses, state.stretches, pending)
    levels = np.array(state.levels)
    given = pinball(levels, np.array(due.given), count)
    losses = tuple(
        learned(loss, None if found is None else pinball(levels, np.array(found), count), given)
        for loss, found in zip(state.losses, due.by_forecaster, strict=True)
    )
    stretches = tuple(
        taught(level, stretch, quantile, count, state.horizon_intervals)
        for level, stretch, quantile in zip(state.levels, state.stretches, due.given, strict=True)
    )
    return State(state.horizon_intervals, state.levels, losses, stretches, pending)


def forecast(state: State, history: History, models: Models, newcomer: Newcomer) -> tuple[State, tuple[float, ...]]:
    """Call once an interval, with the history that ends in it: the quantiles, and the state to keep for the next."""
    state = settle(state, history)
    table = models.forecast(history, state.horizon_intervals, state.levels)
    quantiles = mixed(state.losses, table)
    if quantiles is None:
        quantiles = newcomer.forecast(history, state.levels)
    given = calibrated(state.levels, state.stretches, quantiles)
    by_forecaster = tuple(None if np.isnan(row[0]) else tuple(row.tolist()) for row in table)
    waiting = Pending(history.end_index - 1 + state.horizon_intervals, by_forecaster, given)
    kept = (*state.pending, waiting)
    return State(state.horizon_intervals, state.levels, state.losses, state.stretches, kept), given
