"""Service times from a server's counters alone, where its statistics endpoint cannot be asked.

Counters tell of a window how many requests and executions there were, which gives the mean batch, and the executions'
time added up once for each of their requests, which gives E[b s(b)] / E[b] and no batch's time. Which batches there
were follows from how the server batches what arrives: the batcher is simulated at the rate that was counted, and the
curve s(b) is sought with which it makes the mean batch and the mean time that were counted.

Two figures give two unknowns: how long executions take as a whole, and how much of it grows with the batch. The second
one is known as well as the mean batch tells it. Where batches hardly differ, or the window is short, it tells little,
and the growth stays that of the curve which was expected.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from collectors.snapshot import BatchTime, StageWork
from controller.performance.arrivals import poisson_us
from controller.performance.serving import Batching, PerBatch, ServiceTimes, answered_us

Floats = NDArray[np.float64]

FEWEST_REQUESTS: Final = 12
"""Below this many requests in a window, counters alone say too little."""
REQUESTS: Final = 10_000
ROUNDS: Final = 6
"""Of bringing the simulated time to the one that was counted. Slower executions make larger batches, which take longer
again: each round goes half of the way, or it would overshoot."""
DOUBT: Final = 2.0
"""The standard error of how much a profile's curve grows, as a part of it."""
DOUBT_OF_LEARNT: Final = 0.5
"""That of a curve that earlier windows taught: the noise of one more moves it by a part only."""
MODEL_ERROR: Final = 0.005
"""The standard error of the simulated executions by request, as a part of them, however long the window."""
LEAST_GROWTH: Final = 0.05
"""A curve that is expected to grow by less than this part tells no growth to seek along: a line does."""
MOST_MISFIT: Final = 9.0
"""Beyond three standard errors the simulation is of something else (bursts, instances that share a core)."""
CHUNKS: Final = 20
GOLDEN: Final = (5**0.5 - 1) / 2
GRID: Final = 9
STEPS: Final = 5
MARK_US: Final = float(2**40)


@dataclass(frozen=True, slots=True)
class Fit:
    """A curve and the batches that requests found themselves in with it.

    `misfit` is how far its executions by request are from those that were counted, in squared standard errors.
    """

    batch_us: tuple[float, ...]
    batches: NDArray[np.int64]
    misfit: float


def batch_times(
    counters: StageWork, batching: Batching, expected: ServiceTimes, doubt: float = DOUBT
) -> Iterator[BatchTime]:
    """The executions by size that the counters of a window tell of; nothing where there were too few.

    Together they have the requests and the time that were counted, but for rounding. Where no curve explains what was
    counted, all executions are taken for ones of the mean size, which only tells how long they take as a whole.
    """
    if counters.requests < FEWEST_REQUESTS or not (
        0 < counters.executions <= counters.requests and counters.compute_us
    ):
        return
    if batching.max_batch == 1 or counters.executions == counters.requests:
        yield BatchTime(1, counters.requests, counters.compute_us)
        return
    fit = matched(counters, batching, expected, doubt)
    if fit.misfit > MOST_MISFIT:
        size = min(batching.max_batch, round(counters.requests / counters.executions))
        yield BatchTime(size, counters.executions, round(counters.executions * counters.compute_us / counters.requests))
        return
    sizes, requests = np.unique(fit.batches, return_counts=True)
    for size, part in zip(sizes.tolist(), (requests / fit.batches.size).tolist(), strict=True):
        executions = round(counters.requests * part / size)
        if executions:
            yield BatchTime(size, executions, round(executions * fit.batch_us[size]))


def matched(counters: StageWork, batching: Batching, expected: ServiceTimes, doubt: float = DOUBT) -> Fit:
    """The curve with which the simulated batcher does what was counted.

    There can be several with a queue delay, so the growth is looked for along a grid first, and then between the best
    one's neighbours by golden sections.
    """
    relative = np.asarray(expected.batch_us[: batching.max_batch + 1]) / expected.batch_us[1]
    growth = relative - 1
    if growth[-1] < LEAST_GROWTH:
        growth = LEAST_GROWTH * (np.arange(batching.max_batch + 1.0) - 1)
    grid = np.linspace(0, (batching.max_batch - 1) / growth[-1], GRID).tolist()
    fit = partial(_fit, counters, batching, expected, growth)
    best = min(range(GRID), key=lambda at: _badness(fit(grid[at]), grid[at], doubt))
    low, high = grid[max(0, best - 1)], grid[min(GRID - 1, best + 1)]
    inner, outer = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    left, right = fit(inner), fit(outer)
    for _ in range(STEPS):
        if _badness(left, inner, doubt) < _badness(right, outer, doubt):
            high, outer, right = outer, inner, left
            inner = high - GOLDEN * (high - low)
            left = fit(inner)
        else:
            low, inner, left = inner, outer, right
            outer = low + GOLDEN * (high - low)
            right = fit(outer)
    return fit((low + high) / 2)


def _badness(fit: Fit, grown: float, doubt: float) -> float:
    return fit.misfit + ((grown - 1) / doubt) ** 2


def _fit(counters: StageWork, batching: Batching, expected: ServiceTimes, growth: Floats, grown: float) -> Fit:
    """The curve with `grown` times the expected growth, as fast as was counted."""
    shape = 1 + grown * growth
    shape[0] = 0.0
    counted_us = counters.compute_us / counters.requests
    arrive_us = poisson_us(counters.requests / counters.window_s, REQUESTS)
    scale_us = counted_us / float(shape[max(1, round(counters.requests / counters.executions))])
    for _ in range(ROUNDS):
        service = replace(expected, batch_us=tuple((scale_us * shape).tolist()))
        batches = _batches(service, batching, arrive_us)
        scale_us = (scale_us * counted_us / float(shape[batches].mean())) ** 0.5
    alone = 1 / batches
    error = float(alone[: CHUNKS * (alone.size // CHUNKS)].reshape(CHUNKS, -1).mean(axis=1).std())
    error *= (alone.size / CHUNKS / counters.requests) ** 0.5
    mean = float(alone.mean())
    doubt = error**2 + (MODEL_ERROR * mean) ** 2
    misfit = (mean - counters.executions / counters.requests) ** 2 / doubt
    return Fit(tuple((scale_us * shape).tolist()), batches, misfit)


def _batches(service: ServiceTimes, batching: Batching, arrive_us: Floats) -> NDArray[np.int64]:
    """The batch of each request: told by an answer that takes so long for each of it that nothing else counts.

    Where nearly all are refused there are none to tell of, and nothing but batches of one is claimed.
    """
    marked = replace(service, reply=PerBatch(0.0, MARK_US))
    found_us = answered_us(marked, batching, arrive_us)
    batches = (found_us[~np.isnan(found_us)] // MARK_US).astype(np.int64)
    return batches if batches.size >= CHUNKS else np.ones(CHUNKS, np.int64)
