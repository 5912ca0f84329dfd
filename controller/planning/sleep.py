"""Which services sleep: nothing is planned for them, for no request came for as long as they say.

They fall asleep only on what gateways told without a gap. What is not known keeps them as they are, and the first
request, or one that is foreseen, wakes them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import Rate, Reading, Snapshot
from controller.decision import Silence, State
from policy.resolved import OnMissing, Policy, ScalingPolicy, Service
from policy.waking import silence_s

MINUTE_S: Final = 60
"""What forecasts count by."""
REQUEST: Final = 1000
"""One request, in thousandths."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """The names of the services that sleep and of those that wake up in this turn, and the silences to remember.

    `silences` are those of services that may scale to zero.
    """

    asleep: frozenset[str] = frozenset()
    woken: frozenset[str] = frozenset()
    silences: tuple[Silence, ...] = ()


AWAKE: Final = Sleep()
"""Nobody sleeps."""


def sleep(policy: Policy, snapshot: Snapshot, state: State, now: datetime) -> Sleep:
    """Who sleeps at `now`; `state` has who slept before, and since when nothing came."""
    before = {(item.service, item.origin): item for item in state.silences}
    silences: list[Silence] = []
    asleep: set[str] = set()
    for service in policy.services:
        if service.scale_to_zero is None:
            continue
        slept = service.name in state.asleep
        heard = _heard(service, policy.scaling, snapshot, now)
        mine = tuple(_silence(each, before.get((each.service, each.origin)), now) for each in heard)
        if not _may_sleep(heard, policy.scaling, slept=slept) or _foreseen(service, snapshot, now):
            silences += (Silence(each.service, each.origin, now, now) for each in mine) if slept else mine
            continue
        silences += mine
        if slept or _long_enough(service, mine, policy.scaling, now):
            asleep.add(service.name)
    return Sleep(frozenset(asleep), frozenset(state.asleep) - asleep, tuple(silences))


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a gateway tells of a demand; None where that cannot be believed now."""

    service: str
    origin: str
    reading: Reading[Rate]
    rate: Rate | None


def _heard(service: Service, scaling: ScalingPolicy, snapshot: Snapshot, now: datetime) -> tuple[_Heard, ...]:
    stale_after = timedelta(seconds=scaling.stale_after_s)
    readings = ((origin.site, snapshot.offered_rate(service.name, origin.site)) for origin in service.origins)
    return tuple(_Heard(service.name, site, each, each.fresh(now, stale_after)) for site, each in readings)


def _silence(heard: _Heard, before: Silence | None, now: datetime) -> Silence:
    """The silence up to a reading: that of its own window, and the one before where there is no gap between them."""
    if heard.rate is None or heard.reading.at is None:
        return before or Silence(heard.service, heard.origin, now, now)
    until = min(heard.reading.at, now)  # who counts may have a clock that is ahead of this one
    if heard.rate.milli_rps:
        return Silence(heard.service, heard.origin, until, until)
    since = until - timedelta(seconds=heard.rate.window_s)
    if before is not None and since <= before.until:
        since = min(since, before.since)
    return Silence(heard.service, heard.origin, since, until)


def _may_sleep(heard: Iterable[_Heard], scaling: ScalingPolicy, *, slept: bool) -> bool:
    """Whether nothing is asked. Where that is not known, a service stays as it was, or counts as asked."""
    rates = [each.rate for each in heard]
    if any(rate.milli_rps for rate in rates if rate is not None):
        return False
    return None not in rates or (slept and scaling.on_missing is OnMissing.HOLD)


def _foreseen(service: Service, snapshot: Snapshot, now: datetime) -> bool:
    """Whether a request is foreseen for the minute that forecasts are of: one time in ten, or more often."""
    readings = (snapshot.expected_rate(service.name, origin.site) for origin in service.origins)
    told = [each.fresh(now, timedelta(seconds=each.value.horizon_s)) for each in readings if each.value]
    return any(each.p90_milli_rps * MINUTE_S >= REQUEST for each in told if each)


def _long_enough(service: Service, silences: Iterable[Silence], scaling: ScalingPolicy, now: datetime) -> bool:
    """Whether the silence of all demands is long enough, as far as it was watched, and nothing is kept by a freeze."""
    if service.scale_to_zero is None or scaling.is_frozen(int(now.timestamp())):
        return False
    long_enough = timedelta(seconds=silence_s(service.scale_to_zero, scaling))
    return all(each.until - each.since >= long_enough for each in silences)
