"""The forecast for a service that has hardly been seen: what its documents expect, then what it shows.

The mean is that of a gamma prior and Poisson counts, (expected + sum of counts) / (1 + n) over the last n intervals
seen, with half an arrival in place of an expectation that nobody gave. The count to come is taken as gamma distributed
with that mean m and the variance phi * m + m**2 / (4 * (1 + n)): the first part is the spread of counts, phi their
index of dispersion, the second the doubt about the mean. For phi = 1 it stays close to the negative binomial that the
prior gives; its quantiles come from the inverse of the incomplete gamma function.
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
    name: str = "newcomer"

    def forecast(self, history: History, levels: Sequence[float]) -> Quantiles:
        """The quantiles; the same at every horizon."""
        from scipy.special import gammaincinv  # noqa: PLC0415 - a third of a second that a start has no use for

        recent = history.counts[-LOOK_BACK:]
        recent = recent[~np.isnan(recent)]
        n = len(recent)
        expected = NOTHING_EXPECTED if self.expected_count is None else max(NOTHING_EXPECTED, self.expected_count)
        mean = (expected + float(recent.sum())) / (1 + n)
        variance = _dispersion(recent) * mean + mean**2 / (4 * (1 + n))
        return np.asarray(gammaincinv(mean**2 / variance, np.array(levels)) * variance / mean)


def _dispersion(counts: Quantiles) -> float:
    """Variance over mean, drawn towards UNSEEN_DISPERSION by as much as there is little to see."""
    n = len(counts)
    seen = float(counts.var() / counts.mean()) if n and counts.any() else 0.0
    return max(1.0, (n * seen + WEIGHT_OF_UNSEEN * UNSEEN_DISPERSION) / (n + WEIGHT_OF_UNSEEN))
