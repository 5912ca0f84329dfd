"""The latency of a model on a server, simulated from its service times, its settings and what arrives."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np

from collectors.snapshot import QueueLevel
from controller.performance.arrivals import SEED, STEADY, Burst, bursty_us
from controller.performance.batcher import Counts, Flags, Floats, serve
from controller.performance.greedy import serve_greedily
from controller.performance.levels import serve_by_level
from controller.performance.shared_core import serve_shared

REQUESTS: Final = 30_000
WARM_UP: Final = 0.04
"""The part of the simulated requests, the first ones, that see a server which is emptier than it will be."""
SPREADS: Final = 4096


@dataclass(frozen=True, slots=True)
class PerBatch:
    """A time in us that is linear in the batch size."""

    base_us: float = 0.0
    each_us: float = 0.0

    def times_us(self, largest: int) -> Floats:
        """The times for batches of 0 to `largest`."""
        return self.base_us + self.each_us * np.arange(largest + 1.0)


PYTHON_BACKEND_GAP: Final = PerBatch(100.0, 20.0)
"""What passes on a Triton's Python backend before an instance takes its next batch: with it, the mean latency that a
simulation of 22 measured runs gives is that of the servers' own counters, to 0.5 % on average."""


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """How long executions take: `batch_us[b]` for b requests, index 0 unused.

    `spread` is the coefficient of variation of an execution of one size; `gap` passes between an execution's end and
    the next one's start on the same instance, `reply` between its end and the client's having the answer. With
    `first_us` the first response is waited for, which leaves so long after the start of an execution of b requests; the
    instance is busy to its end all the same. What scatters, or takes longer on a slow instance, is the rest after it.
    """

    batch_us: tuple[float, ...]
    spread: float = 0.0
    gap: PerBatch = PerBatch()
    reply: PerBatch = PerBatch()
    first_us: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Batching:
    """How a server is set: instances (one entry of `speeds` for each, 1 is the profile's), sizes and queue delay.

    `levels`, `level` and `at_once` are those of `LoadedModel`. Instances that take turns are taken for equally fast.

    `cores` is for instances that compute on so many cores together: the service times are then those of an instance
    that has a core for itself, every speed is 1 and there are no levels. Answers are made on the same cores, so the
    way back is as much longer as executions are.
    """

    max_batch: int = 1
    queue_delay_us: float = 0.0
    preferred: tuple[int, ...] = ()
    speeds: tuple[float, ...] = (1.0,)
    cores: float | None = None
    levels: tuple[QueueLevel, ...] = ()
    level: int = 1
    at_once: int = 0

    @property
    def executing(self) -> tuple[float, ...]:
        """The speeds of as many instances as execute at once."""
        return self.speeds[: self.at_once or None]


@dataclass(frozen=True, slots=True)
class Load:
    """What arrives: requests a second, each of which makes `fanout` calls at once and ends with the slowest.

    `parts` has the part of the requests of each priority level; empty when none asks for a level.
    """

    rate_rps: float
    burst: Burst = field(default=STEADY)
    fanout: int = 1
    parts: tuple[float, ...] = ()


def capacity_rps(service: ServiceTimes, batching: Batching, fanout: int = 1) -> float:
    """Requests a second that full batches on all instances could answer."""
    full_us = service.batch_us[batching.max_batch] + service.gap.times_us(batching.max_batch)[-1]
    together = sum(1 / speed for speed in batching.executing)
    if batching.cores is not None:
        together = min(together, batching.cores)
    return float(batching.max_batch * 1e6 / full_us) * together / fanout


def latencies_us(
    service: ServiceTimes, batching: Batching, load: Load, requests: int = REQUESTS, seed: int = SEED
) -> Floats:
    """Latencies in us of simulated requests that were answered, from arrival to answer; the same by seed.

    `requests` counts calls. Empty when all were refused.
    """
    done, _ = _simulated(service, batching, load, requests, seed)
    answered: Floats = done[~np.isnan(done)]
    return answered


def latencies_by_level_us(
    service: ServiceTimes, batching: Batching, load: Load, requests: int = REQUESTS, seed: int = SEED
) -> tuple[Floats, ...]:
    """As `latencies_us` for each of the levels apart."""
    done, level = _simulated(service, batching, load, requests, seed)
    own = np.full(done.size, batching.level) if level is None else level
    return tuple(done[(own == at) & ~np.isnan(done)] for at in range(1, max(1, len(batching.levels)) + 1))


def _simulated(
    service: ServiceTimes, batching: Batching, load: Load, requests: int, seed: int
) -> tuple[Floats, Counts | None]:
    """Latencies of requests after the warm-up, NaN where refused, and the level that each asks for, if any does."""
    groups = max(1, requests // load.fanout)
    calls = bursty_us(load.rate_rps, load.burst, groups, seed)
    level = _levels(load.parts, groups, seed) if load.parts else None
    begin = int(groups * WARM_UP)
    if load.fanout == 1:
        done = answered_us(service, batching, calls, level=level)
    else:
        levels = level if level is None else np.repeat(level, load.fanout)
        each = answered_us(service, batching, np.repeat(calls, load.fanout), level=levels)
        done = each.reshape(groups, load.fanout).max(axis=1)
    return done[begin:], level if level is None else level[begin:]


def answered_us(
    service: ServiceTimes,
    batching: Batching,
    arrive_us: Floats,
    *,
    closed: bool = False,
    level: Counts | None = None,
) -> Floats:
    """Latency in us of each of these arrivals, NaN where refused; for `closed` see `batcher.serve`.

    `level` has the priority that each asks for, 1 for the first; by default they ask for none.
    Raises ValueError when `closed` on shared cores or with `batching.levels`, and with these on shared cores.
    """
    if closed and (batching.cores is not None or batching.levels):
        raise ValueError("clients that wait are not simulated with levels or on shared cores: give arrivals")
    if batching.cores is not None:
        latency_us, batches, slower = _on_shared_cores(service, batching, batching.cores, arrive_us)
        return _with_reply(service, latency_us, batches, slower)
    batch_us = np.asarray(service.batch_us[: batching.max_batch + 1], np.float64)
    scale, speeds = _spread(service.spread), np.asarray(batching.executing, np.float64)
    gap_us = service.gap.times_us(batching.max_batch)
    if not (closed or batching.queue_delay_us or batching.preferred or batching.levels):
        return _with_reply(service, *serve_greedily(arrive_us, batch_us, scale, speeds, gap_us))
    preferred, delay_us = _preferred(batching), float(batching.queue_delay_us)
    if batching.levels:
        own = np.full(arrive_us.size, batching.level) if level is None else level
        rules = _rules(batching.levels)
        found = serve_by_level(arrive_us, own - 1, batch_us, scale, speeds, gap_us, preferred, delay_us, *rules)
    else:
        found = serve(arrive_us, closed, batch_us, scale, speeds, gap_us, preferred, delay_us)
    return _with_reply(service, *found)


def slowdown(service: ServiceTimes, batching: Batching, load: Load, requests: int = REQUESTS) -> float:
    """How many times longer executions take than they would on a core of their own.

    Raises ValueError without `batching.cores`.
    """
    if batching.cores is None:
        raise ValueError("nothing is shared: say how many cores the instances have")
    arrive_us = bursty_us(load.rate_rps, load.burst, requests)
    return _on_shared_cores(service, batching, batching.cores, arrive_us)[2]


def _on_shared_cores(
    service: ServiceTimes, batching: Batching, cores: float, arrive_us: Floats
) -> tuple[Floats, Counts, float]:
    if batching.levels:
        raise ValueError("levels of priority are not simulated on shared cores: leave them out")
    return serve_shared(
        arrive_us,
        np.asarray(service.batch_us, np.float64),
        _spread(service.spread),
        len(batching.executing),
        cores,
        service.gap.times_us(batching.max_batch),
        _preferred(batching),
        float(batching.queue_delay_us),
    )


def _preferred(batching: Batching) -> Flags:
    """Triton prefers the largest batch where nothing else is asked."""
    preferred = np.zeros(batching.max_batch + 1, np.bool_)
    preferred[list(batching.preferred) or [batching.max_batch]] = True
    return preferred


def _levels(parts: tuple[float, ...], requests: int, seed: int) -> Counts:
    """The level of each request, drawn independently."""
    drawn = np.random.default_rng((seed, len(parts))).random(requests)
    levels: Counts = 1 + np.searchsorted(np.cumsum(parts)[:-1], drawn, side="right")
    return levels


def _rules(levels: tuple[QueueLevel, ...]) -> tuple[Floats, Flags, Counts]:
    """Timeouts in us, infinite for none; whether late requests are put off; and limits: what `serve_by_level` takes."""
    return (
        np.array([level.timeout_us or np.inf for level in levels], np.float64),
        np.array([level.puts_off for level in levels], np.bool_),
        np.array([level.limit for level in levels], np.int64),
    )


def _with_reply(service: ServiceTimes, latency_us: Floats, batches: Counts, slower: float = 1.0) -> Floats:
    if service.first_us:
        latency_us = latency_us - np.subtract(service.batch_us, service.first_us)[batches]
    if service.reply == PerBatch():
        return latency_us
    answered: Floats = latency_us + slower * service.reply.times_us(int(batches.max(initial=1)))[batches]
    return answered


@lru_cache(maxsize=64)
def _spread(variation: float) -> Floats:
    """Factors with mean 1 and this coefficient of variation, lognormal, every one of equally many in random order."""
    if variation == 0:
        return np.ones(1)
    sigma = float(np.sqrt(np.log1p(variation**2)))
    normal = np.random.default_rng(SEED).standard_normal(SPREADS)
    factors: Floats = np.exp(sigma * normal)
    factors /= factors.mean()
    return factors
