"""Series with known properties, and what the forecasts make of them."""

from collections.abc import Iterable

import numpy as np

from controller.demand.forecaster import Forecaster, Quantiles
from controller.demand.history import History
from controller.demand.newcomer import Newcomer
from controller.demand.online import LEVELS, LIGHT, Models, State, forecast


def forecasts(
    counts: Iterable[float | None],
    horizon: int = 1,
    forecasters: tuple[Forecaster, ...] = LIGHT,
    levels: tuple[float, ...] = LEVELS,
) -> tuple[Quantiles, State]:
    """The quantiles given after each count, and the last state."""
    history, state = History.of(600), State.new(horizon, levels, len(forecasters))
    models, newcomer, found = Models(forecasters), Newcomer(), []
    for count in counts:
        history = history.then(count)
        state, quantiles = forecast(state, history, models, newcomer)
        found.append(quantiles)
    return np.array(found), state


def poisson(mean: float | Quantiles, intervals: int, seed: int = 1) -> Quantiles:
    """Counts of a Poisson process; `mean` is a number or one for each interval."""
    return np.random.default_rng(seed).poisson(mean, intervals).astype(float)


def daily(intervals: int, day: int = 144) -> Quantiles:
    """A mean that swings by a factor of five over the day."""
    return 60 + 40 * np.sin(2 * np.pi * np.arange(intervals) / day)
