"""Quantiles that keep their word: online conformal calibration of each level.

The distance of a quantile from the median is stretched by exp(theta), and theta follows what came of it:

    q' = m + (q - m) * exp(theta),    theta <- theta + eta_n * (1[y > q'] - (1 - level))        (upper levels)

This is quantile tracking (Angelopoulos, Candes and Tibshirani 2023) of the score log((y - m) / (q - m)). With a steady
step eta the updates add up: over T forecasts the rate of misses differs from 1 - level by exactly the change of theta
over eta T, whatever the process does, as long as theta stays within its bounds. The step falls with the number of
forecasts n (Angelopoulos, Barber and Bates 2024) to a floor that keeps it able to follow: slowly, for a short series
needs as large a step for its few misses to make up for one another. A surprise that lasts is told once for each
forecast that was made before it, so the step is divided by the horizon in intervals. The median is not moved.

Theta begins at DOUBT * sqrt(level / (1 - level)), in proportion to the standard error of an empirical quantile whose
tail is exponential: the outer quantiles are those that little data places worst.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.demand.forecaster import Quantiles

MEDIAN: Final = 0.5
FIRST_STEP: Final = 0.4
LEAST_STEP: Final = 0.05
DECAY: Final = 0.25
DOUBT: Final = 0.03
MOST_STRETCH: Final = math.log(50.0)
LEAST_WIDTH: Final = 0.1
"""Of the square root of the median count: a distance of zero could not be stretched."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """theta of one level, and how many forecasts taught it."""

    forecasts: int = 0
    theta: float = 0.0


def unlearnt(level: float) -> Stretch:
    """Where a level begins."""
    tail = min(level, 1 - level)
    return Stretch(theta=0.0 if level == MEDIAN else DOUBT * math.sqrt((1 - tail) / tail))


def calibrated(levels: tuple[float, ...], stretches: tuple[Stretch, ...], quantiles: Quantiles) -> tuple[float, ...]:
    """Ordered, non-negative quantiles; `levels` are ascending and hold the median."""
    median = max(0.0, float(quantiles[levels.index(MEDIAN)]))
    least = LEAST_WIDTH * math.sqrt(median + 1)
    found = []
    for level, stretch, quantile in zip(levels, stretches, quantiles.tolist(), strict=True):
        side = (level > MEDIAN) - (level < MEDIAN)
        width = max(side * (quantile - median), least)
        found.append(max(0.0, median + side * width * math.exp(stretch.theta)))
    return tuple(np.maximum.accumulate(found).tolist())


def taught(level: float, stretch: Stretch, quantile: float, count: float, horizon: int) -> Stretch:
    """The stretch after one more outcome."""
    if level == MEDIAN:
        return stretch
    missed = count > quantile if level > MEDIAN else count < quantile
    step = max(LEAST_STEP, FIRST_STEP / horizon / (1 + stretch.forecasts) ** DECAY)
    theta = stretch.theta + step * (missed - (min(level, 1 - level)))
    return Stretch(stretch.forecasts + 1, min(MOST_STRETCH, max(-MOST_STRETCH, theta)))
