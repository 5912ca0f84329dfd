"""How long a stage takes when its instances are given a stated load.

One instance is looked at alone. The `f` calls of a request arrive together, requests as a Poisson process, and the
instance serves up to B calls at once in s(b). `load` is the part of what it could do in full batches, rate * s(B) / B.

    latency = hop + ceil(f / B) * s(b) + r + W,     P(W > t) = load * exp(-t / theta),
    theta = f * s(B) / (2 * B * (1 - load))

theta is the heavy-traffic decay of a queue that gains f calls at a time and loses B in s(B). For B = 1 it makes W that
of an M/D/1 queue of bursts, with the exact mean of Pollaczek and Khinchine; then r = 0. With batches, b is the batch
that keeps itself up at this rate, b = rate * s(b), and r = s(b) is what is left, at most, of the batch being served.

Instances that share one queue wait less than this: the model errs on the safe side, and the loop reports by how much.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

HOP_US: Final = 4_000
"""Gateway and server front end, each way of one call: about what they add to an idle server here, in us."""


@dataclass(frozen=True, slots=True)
class StageLatency:
    """The distribution of a stage's latency: `base_us` + W with P(W > t) = wait_chance * exp(-t / theta_us)."""

    base_us: float
    theta_us: float
    wait_chance: float

    @property
    def mean_us(self) -> float:
        """The mean latency in us."""
        return self.base_us + self.wait_chance * self.theta_us

    def quantile_us(self, percentile_bp: int) -> float:
        """The latency in us that the given percentile (in basis points, below 10000) stays under."""
        beyond = 1 - percentile_bp / 10_000
        if beyond >= self.wait_chance:
            return self.base_us
        return self.base_us + self.theta_us * math.log(self.wait_chance / beyond)


def stage_latency(batch_us: Callable[[int], int], max_batch: int, fanout: int, load_permille: int) -> StageLatency:
    """The latency of the slowest of `fanout` calls at a load; `batch_us` gives the service time of a batch."""
    load = load_permille / 1000
    served_us = batch_us(_typical_batch(batch_us, max_batch, fanout, load))
    left_us = served_us if max_batch > 1 else 0
    theta_us = fanout * batch_us(max_batch) / (2 * max_batch * (1 - load))
    return StageLatency(HOP_US + math.ceil(fanout / max_batch) * served_us + left_us, theta_us, load)


def _typical_batch(batch_us: Callable[[int], int], max_batch: int, fanout: int, load: float) -> int:
    """The least batch, of the calls of one request or more, that is as large as what arrives while it is served."""
    rate = load * max_batch / batch_us(max_batch)
    least = min(fanout, max_batch)
    return next((b for b in range(least, max_batch) if rate * batch_us(b) <= b), max_batch)


def capacity_milli_rps(batch_us: int, max_batch: int, load_permille: int) -> int:
    """Requests per 1000 s that keep one instance busy `load_permille` of the time when it serves full batches."""
    return max(1, max_batch * load_permille * 1_000_000 // batch_us)
