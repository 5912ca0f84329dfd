"""A robust straight line through a closed loop's latencies, and how sure it is of its intercept.

A closed loop of N requests obeys Little's law, latency = N / X(N). Its two asymptotes are a constant (nobody waits) and
a ray N / X_max (the server is saturated; Denning and Buzen, The Operational Analysis of Queueing Network Models, 1978).
In between a line a + b * N fits, and the share s = a / (a + b * N_h) of its constant at the largest measured N_h says
where: 1 on the constant, 0 on the ray. What is far to the left of N_h says little about what is right of it, so
residuals are relative and weighted with (N / N_h)^recency.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.performance.tables.random_effects import Belief

Array = NDArray[np.float64]
ROUNDS: Final = 12
"""Re-weightings; the weights have settled long before on every measured sweep."""
HUBER: Final = 1.5
"""Residuals beyond this many robust standard deviations count linearly (Huber, Robust Statistics, 1981)."""
LEAST_NOISE: Final = 0.003
"""Relative standard deviation that a measurement has at least: tables print three or four digits, and a run ends when
three windows agree within percents."""
NORMAL_MAD: Final = 1.4826
"""The standard deviation of a normal distribution over its median absolute deviation."""


@dataclass(frozen=True, slots=True)
class Line:
    """latency_ms = base_ms + slope_ms * N. `share` is base over latency at the end, `share_variance` its variance."""

    base_ms: float
    slope_ms: float
    share: float
    share_variance: float

    def at(self, concurrency: Array) -> Array:
        """The mean latency in ms at each concurrency."""
        return self.base_ms + self.slope_ms * concurrency


def fit_line(concurrency: Array, latency_ms: Array, recency: float, share: Belief | None = None) -> Line:
    """The line through a sweep's points, in the order of their concurrency; `share` is what is believed beforehand.

    The belief is one more row of the least-squares problem: base - mean * (base + slope * N_h) = 0, with the noise of
    the sweep over the belief's deviation as its weight. A noisy sweep leans on it, a smooth one does not.
    """
    end = concurrency[-1]
    design = np.column_stack([np.ones_like(concurrency), concurrency])
    relative = (concurrency / end) ** recency / latency_ms
    robust: Array = np.ones_like(latency_ms)
    weights = relative
    fitted = _solve(design, latency_ms, weights, None, end)
    noise = LEAST_NOISE
    for _ in range(ROUNDS):
        error = (latency_ms - design @ fitted) / latency_ms
        noise = _noise(error, (concurrency / end) ** (2 * recency) * robust)
        robust = _huber(error)
        weights = relative * np.sqrt(robust)
        row = None if share is None else _believed(fitted, share, noise, end)
        fitted = _solve(design, latency_ms, weights, row, end)
    return _line(fitted, design * weights[:, None], noise, end)


def _line(fitted: Array, rows: Array, noise: float, end: float) -> Line:
    """The line of fitted coefficients; the share's variance to first order in theirs."""
    level = fitted[0] + fitted[1] * end
    gradient = np.array([1 / level - fitted[0] / level**2, -fitted[0] * end / level**2])
    covariance = np.linalg.pinv(rows.T @ rows) * noise**2
    return Line(float(fitted[0]), float(fitted[1]), float(fitted[0] / level), float(gradient @ covariance @ gradient))


def _huber(error: Array) -> Array:
    typical = max(LEAST_NOISE, NORMAL_MAD * float(np.median(np.abs(error))))
    weights: Array = 1 / np.maximum(1.0, np.abs(error) / (HUBER * typical))
    return weights


def _noise(error: Array, weights: Array) -> float:
    """The weighted relative standard deviation of the residuals of a line."""
    freedom = max(1, len(error) - 2) / len(error)
    return max(LEAST_NOISE, float(np.sqrt((weights * error**2).sum() / weights.sum() / freedom)))


def _believed(fitted: Array, share: Belief, noise: float, end: float) -> Array:
    level = fitted[0] + fitted[1] * end
    row: Array = np.array([1 - share.mean, -share.mean * end]) / level * (noise / np.sqrt(share.variance))
    return row


def _solve(design: Array, latency_ms: Array, weights: Array, row: Array | None, end: float) -> Array:
    """Least squares; a latency that would fall with the concurrency is taken as constant."""
    scaled, wanted = design * weights[:, None], latency_ms * weights
    rows = scaled if row is None else np.vstack([scaled, row])
    zeros = np.zeros(len(rows) - len(wanted))
    fitted = np.asarray(np.linalg.lstsq(rows, np.append(wanted, zeros), rcond=None)[0], dtype=np.float64)
    if fitted[1] >= 0 and fitted[0] + fitted[1] * end > 0:
        return fitted
    squares = weights**2
    return np.array([float((latency_ms * squares).sum() / squares.sum()), 0.0])
