"""The forecast for a service that has hardly been seen: what its documents expect, then what it shows.

    m = (expected + n * last) / (1 + n),    variance = phi * m + (m / (2 * (1 + n)))**2

`last` is the last count and n the number of the last 12 intervals that were seen; where nobody gave an expectation, it
is the last count, or half an arrival where there is none. phi * m is the mean square of the changes from count to
count, with phi drawn to 4 while there is little to see; the second part is the doubt about the mean. The count to come
is taken as gamma distributed, close to the negative binomial of Poisson counts with an uncertain mean, and its
quantiles come from the inverse of the incomplete gamma function.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.demand.forecaster import Quantiles
from controller.demand.history import History

LOOK_BACK: Final = 12
UNSEEN_DISPERSION: Final = 4.0
"""Of counts of a service that nothing is known of: request traffic is burstier than Poisson."""
WEIGHT_OF_UNSEEN: Final = 4
"""Intervals that this assumption weighs as much as."""
NOTHING_EXPECTED: Final = 0.5


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Always has an answer; `expected_count` is what the documents expect of an interval, None when they do not say."""

    expected_count: float | None = None

    def forecast(self, history: History, levels: Sequence[float]) -> Quantiles:
        """The quantiles; the same at every horizon."""
        from scipy.special import gammaincinv  # noqa: PLC0415 - a third of a second that a start has no use for

        recent = history.counts[-LOOK_BACK:]
        recent = recent[~np.isnan(recent)]
        n = len(recent)
        last = float(recent[-1]) if n else NOTHING_EXPECTED
        expected = last if self.expected_count is None else self.expected_count
        mean = max(NOTHING_EXPECTED, (expected + n * last) / (1 + n))
        variance = _dispersion(recent) * mean + (mean / (2 * (1 + n))) ** 2
        return np.asarray(gammaincinv(mean**2 / variance, np.array(levels)) * variance / mean)


def _dispersion(counts: Quantiles) -> float:
    """Mean square of the changes over the mean, drawn to UNSEEN_DISPERSION while there is little to see."""
    changes = np.diff(counts)
    n = len(changes)
    seen = float((changes**2).mean() / counts.mean()) if n and counts.any() else 0.0
    return max(1.0, (n * seen + WEIGHT_OF_UNSEEN * UNSEEN_DISPERSION) / (n + WEIGHT_OF_UNSEEN))
