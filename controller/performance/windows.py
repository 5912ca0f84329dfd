"""What every variant's executions took on each server over the last window, from whichever source tells it.

The statistics endpoint tells executions by size. Where it cannot be asked, they are made out from the counters.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import BatchTime, LoadedModel, Snapshot, StageWork
from controller.decision import LearntTimes
from controller.fleet import Seat
from controller.performance.interference import Key
from controller.performance.learn import curve
from controller.performance.service_time import batch_us
from policy.resolved import Policy, VariantProfile
from rules.kernel.problem import Placement

FEWEST_REQUESTS: Final = 12
"""Below this many requests in a window, counters alone say too little."""
ALONE_PERMILLE: Final = 950
"""Where it is not known how a server batches, only windows in which this part of the executions held one request tell
their time: the counters add the time of a batch once for each of its requests."""


@dataclass(frozen=True, slots=True)
class Window:
    """The executions of a placement on a server over `window_s` seconds, 0 where that is not known."""

    placement: Placement
    device: str
    window_s: float
    times: tuple[BatchTime, ...]
    node: str = ""

    @property
    def key(self) -> Key:
        """The variant and the device."""
        return self.placement.model, self.placement.variant, self.device

    @property
    def busy(self) -> float:
        """How many of its instances there were busy, on average; 0 where it cannot be told."""
        return sum(item.total_us for item in self.times) / 1e6 / self.window_s if self.window_s else 0.0


def windows(
    policy: Policy,
    snapshot: Snapshot,
    loaded: Mapping[Seat, LoadedModel],
    known: Iterable[LearntTimes],
    now: datetime,
) -> tuple[Window, ...]:
    """What is fresh; `known` are the times to expect where counters alone are there."""
    stale_after = timedelta(seconds=policy.scaling.stale_after_s)
    devices = {pool.name: pool.device for pool in policy.pools}
    expected = Expected(
        {(p.model, p.variant, d.device): p for d in policy.devices for p in d.variants},
        {(item.model, item.variant, item.device): item for item in known},
    )
    found = []
    told = set()
    for batches in snapshot.batches:
        placement = Placement(batches.model, batches.variant, batches.pool)
        times = batches.reading.fresh(now, stale_after) or ()
        told.add((placement, batches.node))
        found.append(Window(placement, devices.get(batches.pool, ""), batches.window_s, times, batches.node))
    for work in snapshot.work:
        seat = Placement(work.model, work.variant, work.pool), work.node
        counters = work.counters.fresh(now, stale_after)
        if counters is not None and seat not in told:
            device = devices.get(work.pool, "")
            times = tuple(_made_out(counters, loaded.get(seat), expected, (work.model, work.variant, device)))
            found.append(Window(seat[0], device, counters.window_s, times, work.node))
    return tuple(window for window in found if window.times)


@dataclass(frozen=True, slots=True)
class Expected:
    """Profiles, and what was learnt."""

    profiles: Mapping[Key, VariantProfile]
    learnt: Mapping[Key, LearntTimes]

    def batch_us(self, key: Key, largest: int) -> tuple[float, ...] | None:
        """s(0) to s(`largest`) in us; None without a profile."""
        profile = self.profiles.get(key)
        if profile is None:
            return None
        learnt = self.learnt.get(key, LearntTimes(*key))
        known_us = curve(profile, learnt.counted)
        scale = known_us[-1] / batch_us(profile, len(known_us))
        beyond = (scale * batch_us(profile, batch) for batch in range(len(known_us) + 1, largest + 1))
        return (0.0, *map(float, known_us), *beyond)


def _made_out(counters: StageWork, model: LoadedModel | None, expected: Expected, key: Key) -> Iterator[BatchTime]:
    if counters.requests < FEWEST_REQUESTS or not 0 < counters.executions <= counters.requests:
        return
    if counters.executions * 1000 >= counters.requests * ALONE_PERMILLE:
        yield BatchTime(1, counters.requests, counters.compute_us)
        return
    times_us = expected.batch_us(key, model.max_batch) if model else None
    if model is None or times_us is None or model.max_batch == 1:
        return
    from controller.performance.counters import DOUBT, DOUBT_OF_LEARNT, batch_times  # noqa: PLC0415 - its compiler takes a second, where few need it
    from controller.performance.serving import Batching, ServiceTimes  # noqa: PLC0415 - the same

    doubt = DOUBT_OF_LEARNT if key in expected.learnt else DOUBT
    batching = Batching(
        model.max_batch,
        model.queue_delay_us,
        speeds=(1.0,) * model.instances,
        levels=model.levels,
        level=model.level,
        at_once=model.at_once,
    )
    yield from batch_times(counters, batching, ServiceTimes(times_us), doubt)
