"""How sure a mean is, when a run has shown enough, and whether the server suffered from it."""

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean
from typing import Final

import numpy as np

from controller.profiling.measured import Run

FEWEST: Final = 30
"""Requests without which no mean is judged: the normal quantile stands for Student's from about there."""
MOST: Final = 3_000
CONFIDENCE_FACTOR: Final = NormalDist().inv_cdf(0.975)
QUARTILES_APART: Final = 2 * NormalDist().inv_cdf(0.75)
GROWING: Final = 3.0
FAILED_PART: Final = 0.01


def relative_error(latencies_us: Sequence[float]) -> float:
    """Half of the 95 % confidence interval of the mean, as a part of it; infinite for fewer than `FEWEST` values.

    Values are taken as independent, which those of a closed loop of one client nearly are.
    """
    if len(latencies_us) < FEWEST:
        return math.inf
    deviation = float(np.std(latencies_us, ddof=1))
    return CONFIDENCE_FACTOR * deviation / math.sqrt(len(latencies_us)) / fmean(latencies_us)


def enough(latencies_us: Sequence[float], wanted_error: float) -> bool:
    """Whether further requests would add nothing that is asked for."""
    return len(latencies_us) >= MOST or relative_error(latencies_us) <= wanted_error


def spread(latencies_us: Sequence[float]) -> float:
    """The coefficient of variation of a lognormal distribution with these quartiles: outliers do not move it."""
    lower, upper = np.percentile(latencies_us, (25, 75))
    sigma = math.log(upper / lower) / QUARTILES_APART
    return math.sqrt(math.expm1(sigma**2))


def suffering(run: Run, limit_us: float, *, open_loop: bool = False) -> str | None:
    """Why the server is not to be asked for more than this, in words; None when it took it well."""
    asked = len(run.latencies_us) + run.failed
    if run.failed > FAILED_PART * asked:
        return f"{run.failed} of {asked} requests failed"
    p99_us = float(np.percentile(run.latencies_us, 99))
    if p99_us > limit_us:
        return f"the p99 was {p99_us / 1000:.0f} ms, above the limit of {limit_us / 1000:.0f} ms"
    if open_loop and _grew(run.latencies_us):
        return "requests waited longer and longer"
    return None


def _grew(latencies_us: Sequence[float]) -> bool:
    quarter = len(latencies_us) // 4
    if quarter < FEWEST:
        return False
    medians = [float(np.median(latencies_us[at * quarter : (at + 1) * quarter])) for at in range(4)]
    return medians == sorted(medians) and medians[-1] > GROWING * medians[0]
