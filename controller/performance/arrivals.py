"""Arrivals to simulate: Poisson, or bursty with two rates in turn.

Bursts are a Markov-modulated Poisson process with two states that last `sojourn_us` on average and whose rates are
(1 + depth) and (1 - depth) of the mean rate. Its index of dispersion for counts over a time t is

    IDC(t) = 1 + rate * depth^2 * sojourn * (1 - (1 - exp(-x)) / x),     x = 2 * t / sojourn

(Heffes and Lucantoni, IEEE JSAC 1986, with both states alike), so that depth and sojourn can be told from counts over
two times.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

SEED: Final = 20_240_229
MOST_SOJOURNS: Final = 100
"""In the mean time between two requests; what is simulated is bounded by it."""


@dataclass(frozen=True, slots=True)
class Burst:
    """How far the rate swings around its mean, from 0 (not at all) to 1, and how long a swing lasts on average."""

    depth: float
    sojourn_us: float


STEADY: Final = Burst(0.0, 1.0)


@lru_cache(maxsize=4)
def _unit_gaps(requests: int, seed: int) -> NDArray[np.float64]:
    gaps = np.random.default_rng(seed).exponential(1.0, requests)
    gaps *= requests / gaps.sum()
    gaps.flags.writeable = False
    return gaps


def poisson_us(rate_rps: float, requests: int, seed: int = SEED) -> NDArray[np.float64]:
    """Arrival times in us with exactly the stated mean rate; the same pattern at every rate, only denser."""
    return np.cumsum(_unit_gaps(requests, seed)) * (1e6 / rate_rps)


def bursty_us(rate_rps: float, burst: Burst, requests: int, seed: int = SEED) -> NDArray[np.float64]:
    """Arrival times in us of the two-state process, begun in either state.

    A Poisson process of unit rate is run on the clock that goes as fast as the rate is at the time. Swings that are
    over long before the next request are seen by none: these arrivals are Poisson but for 1 / `MOST_SOJOURNS`.
    """
    if burst.depth == 0:
        return poisson_us(rate_rps, requests, seed)
    events = np.cumsum(_unit_gaps(requests, seed)) * (1e6 / rate_rps)
    if events[-1] > MOST_SOJOURNS * burst.sojourn_us * requests:
        return events
    rng = np.random.default_rng(seed + 1)
    spells = rng.exponential(burst.sojourn_us, int(4 * events[-1] / burst.sojourn_us) + 64)
    speed = np.where(np.arange(spells.size) % 2 == int(rng.integers(2)), 1 + burst.depth, 1 - burst.depth)
    passed = np.concatenate(([0.0], np.cumsum(spells)))
    clock = np.concatenate(([0.0], np.cumsum(spells * speed)))
    return np.interp(events, clock, passed)
