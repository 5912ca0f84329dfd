"""Latency over load, simulated once for a shape of server and then looked up.

Time has no unit of its own in a queue: a server that is twice as slow and gets half the requests has twice the latency.
So what is kept is relative to the time of a full batch, by *shape*: how the batch time grows, how the server is set and
how requests arrive, bursts included. A correction of the speed alone needs no new simulation.

A surface holds `LEVELS` quantiles, those at (k + 1/2) / `LEVELS`, for each utilisation in `UTILISATIONS`. Between two
of these latency is taken as linear, which is never below a convex curve; above the last as in a queue near its limit,
in proportion to 1 / (1 - utilisation). More load never gives less latency, and more instances at the same utilisation
never more: where the noise of the simulation says otherwise, it is overruled.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.performance.arrivals import STEADY, Burst

Floats = NDArray[np.float64]
Surface = NDArray[np.float32]

LEVELS: Final = 1000
UTILISATIONS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
INSTANCES: Final = (1, 2, 4, 8, 16)
CALLS: Final = 30_000
BURSTY_CALLS: Final = 60_000
"""So that there are some hundred bursts among them."""
LONGEST_SOJOURN: Final = 8
"""Rates that swing for longer than 2^8 full batches are other rates, and are planned for as such."""
FINENESS: Final = 64
"""Relative times are rounded to this part of a full batch's, so that small changes find the same surface."""
HIGHEST: Final = 0.995
MOST_KNOWN: Final = 1024
"""Surfaces in memory; each takes 40 kB."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A server and its arrivals, apart from speed and load.

    `relative` has s(b) / s(max_batch) in 1 / `FINENESS`, from b = 1; `spread_percent` is the coefficient of variation
    of an execution; `instances` one of `INSTANCES`; `fanout` calls arrive at once, and the slowest counts. The rate
    swings by `depth_percent` of its mean, for 2^`sojourn` full batches at a time on average. Where `first` has the time
    until the first responses of b requests leave, in the unit of `relative`, the latency is that until then.
    """

    relative: tuple[int, ...]
    instances: int = 1
    fanout: int = 1
    spread_percent: int = 0
    queue_delay: int = 0
    depth_percent: int = 0
    sojourn: int = 0
    first: tuple[int, ...] = ()


_known: Final[dict[Shape, Surface]] = {}


def shape_of(
    batch_us: tuple[int, ...], instances: int, fanout: int, queue_delay_us: int = 0, burst: Burst = STEADY
) -> Shape:
    """The shape of a server with s(1), s(2), … = `batch_us`; as many instances or fewer, so that it waits no less."""
    full_us = batch_us[-1]
    depth_percent = round(100 * burst.depth)
    return Shape(
        tuple(max(1, round(FINENESS * time_us / full_us)) for time_us in batch_us),
        max(count for count in INSTANCES if count <= max(1, instances)),
        fanout,
        queue_delay=round(FINENESS * queue_delay_us / full_us),
        depth_percent=depth_percent,
        sojourn=min(LONGEST_SOJOURN, round(math.log2(burst.sojourn_us / full_us))) if depth_percent else 0,
    )


def to_first(shape: Shape, parts: tuple[float, ...]) -> Shape:
    """The same where first responses are waited for, which leave after these parts of s(1), s(2), …; at most 1."""
    first = tuple(max(1, round(part * whole)) for part, whole in zip(parts, shape.relative, strict=True))
    return shape if first == shape.relative else replace(shape, first=first)


def quantiles(shape: Shape, utilisation: float) -> Floats:
    """`LEVELS` quantiles of the latency, in units of a full batch's time."""
    surface, last = surface_of(shape), UTILISATIONS[-1]
    if utilisation > last:
        beyond: Floats = (1 - last) / (1 - min(utilisation, HIGHEST)) * surface[-1].astype(np.float64)
        return beyond
    above = max(1, bisect_left(UTILISATIONS, utilisation))
    left, right = UTILISATIONS[above - 1], UTILISATIONS[above]
    weight = max(0.0, (utilisation - left) / (right - left))
    # In this form rounding cannot make more load faster.
    least, most = surface[above - 1].astype(np.float64), surface[above].astype(np.float64)
    between: Floats = np.minimum(least + weight * (most - least), most)
    return between


def surface_of(shape: Shape) -> Surface:
    """The surface of a shape, float32 of (utilisations, levels). It follows from the shape, so it is made only once."""
    if shape not in _known:
        remember({shape: _made(shape)})
    return _known[shape]


def known() -> Mapping[Shape, Surface]:
    """The surfaces that need not be made any more."""
    return dict(_known)


def remember(surfaces: Mapping[Shape, Surface]) -> None:
    """Take surfaces for known; the oldest beyond `MOST_KNOWN` are forgotten."""
    _known.update(surfaces)
    while len(_known) > MOST_KNOWN:
        del _known[next(iter(_known))]


def _made(shape: Shape) -> Surface:
    surface = np.maximum.accumulate([_simulated(shape, part) for part in UTILISATIONS], axis=0)
    smaller = INSTANCES.index(shape.instances) - 1
    if smaller < 0:
        return surface
    return np.minimum(surface, surface_of(replace(shape, instances=INSTANCES[smaller])))


def _simulated(shape: Shape, utilisation: float) -> Surface:
    from controller.performance.serving import (  # noqa: PLC0415 - its compiler takes a second, and what is known no time
        Batching,
        Load,
        ServiceTimes,
        capacity_rps,
        latencies_us,
    )

    service = ServiceTimes(
        (0.0, *(part / FINENESS for part in shape.relative)),
        shape.spread_percent / 100,
        first_us=(0.0, *(part / FINENESS for part in shape.first)) if shape.first else (),
    )
    batching = Batching(len(shape.relative), shape.queue_delay / FINENESS, speeds=(1.0,) * shape.instances)
    rate = utilisation * capacity_rps(service, batching, shape.fanout)
    burst = Burst(shape.depth_percent / 100, 2.0**shape.sojourn)
    calls = BURSTY_CALLS if shape.depth_percent else CALLS
    found = latencies_us(service, batching, Load(rate, burst, shape.fanout), calls)
    return np.quantile(found, (np.arange(LEVELS) + 0.5) / LEVELS).astype(np.float32)
