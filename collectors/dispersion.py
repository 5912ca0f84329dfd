"""How bursty arrivals are: what a rate does not tell a queue.

    IDC(t) = Var N(t) / E N(t),    c2 = Var X / (E X)**2,    r1 = Cov(X_n, X_n+1) / Var X

N(t) are the arrivals in a window of t, X the times between arrivals. A Poisson process has IDC(t) = 1, c2 = 1 and
r1 = 0. c2 sees one gap at a time; correlated gaps make queues long at loads where c2 promises short ones, and the index
of dispersion for counts (IDC) at growing t shows them (Gusella 1991; Sriram and Whitt 1986: IDC tends to
c2 * (1 + 2 * sum of the autocorrelations)). The estimates take the process as stationary over what they are given: a
trend or a daily swing raises IDC(t) at large t as burstiness does, so give them an hour rather than a day.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from collectors.burstiness import Burstiness

SCALES_S: Final = (0.1, 1.0, 10.0, 60.0)
FEWEST_WINDOWS: Final = 30
"""Below this many windows their variance is a guess: its standard error is about sqrt(2 / n) of it."""
FEWEST_GAPS: Final = 30
MOST_ARRIVALS: Final = 1_000_000
MOST_WINDOWS: Final = 10_000_000


def burstiness(arrivals_s: Sequence[float], scales_s: Sequence[float] = SCALES_S) -> Burstiness:
    """What the instants of arrivals tell; the span looked at goes from the first to the last of them.

    Raises:
        ValueError: when instants descend, are not finite or more than MOST_ARRIVALS, or a window is not positive.
    """
    instants = np.asarray(arrivals_s, dtype=np.float64)
    gaps = np.diff(instants)
    if len(instants) > MOST_ARRIVALS or not np.isfinite(instants).all() or (gaps < 0).any():
        raise ValueError(f"give at most {MOST_ARRIVALS} finite instants in ascending order")
    if not all(scale > 0 for scale in scales_s):
        raise ValueError(f"windows of {tuple(scales_s)} s: give lengths above zero")
    span_s = float(gaps.sum())
    return Burstiness(
        span_s=span_s,
        rate_rps=len(gaps) / span_s if span_s else 0.0,
        dispersion=tuple((scale, _dispersion(instants, span_s, scale)) for scale in scales_s),
        gap_variation=_variation(gaps),
        gap_correlation=_correlation(gaps),
    )


def _dispersion(instants: NDArray[np.float64], span_s: float, scale_s: float) -> float | None:
    """Variance over mean of the counts in windows side by side."""
    windows = int(span_s / scale_s)
    if not FEWEST_WINDOWS <= windows <= MOST_WINDOWS:
        return None
    edges = instants[0] + scale_s * np.arange(windows + 1)
    counts = np.diff(np.searchsorted(instants, edges))
    return float(counts.var(ddof=1) / counts.mean())


def _variation(gaps: NDArray[np.float64]) -> float | None:
    if len(gaps) < FEWEST_GAPS or not gaps.any():
        return None
    return float(gaps.var(ddof=1) / gaps.mean() ** 2)


def _correlation(gaps: NDArray[np.float64]) -> float | None:
    if len(gaps) < FEWEST_GAPS:
        return None
    off = gaps - gaps.mean()
    variance = float(off @ off)
    # Rounding leaves gaps that are all equal a variance of nearly nothing, and nearly nothing has no correlation.
    if variance <= len(gaps) * (1e-9 * float(gaps.mean())) ** 2:
        return None
    return float(off[1:] @ off[:-1]) / variance
