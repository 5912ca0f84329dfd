"""How much each origin asks of each service, from what arrived: held while readings are stale, never taken as zero."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import Freshness, Rate, Snapshot
from controller.decision import KnownRate, Peak
from controller.planning.peaks import highest_first
from controller.planning.sleep import AWAKE, Sleep
from policy.findings import Finding, Level
from policy.resolved import OnMissing, Origin, Policy, Service
from rules.kernel.problem import WHOLE_PERMILLE, Demand

KEEP_BELOW: Final = 0.3
KEEP_ABOVE: Final = 0.08
STEP_MILLI_RPS: Final = 500
"""Forecasts are planned for in steps of half a request a second, so that plans do not follow their every move."""
SECOND_US: Final = 1_000_000
DEVIATIONS_BELOW: Final = 2.0
DEVIATIONS_ABOVE: Final = 1.5
"""A measured rate that is below or above the planned one by less than this part of it, or by less than so many standard
deviations of a Poisson count, leaves it as it is: the noise of a short window is no reason to move."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The demands, the rates to remember, the services whose readings cannot be trusted now, and what to say of it.

    `peaks` are what was planned for within the stabilisation, to be remembered, too. Of services that sleep, the
    demands are `asleep` and not among those that are planned for.
    """

    demands: tuple[Demand, ...]
    rates: tuple[KnownRate, ...]
    held: frozenset[str]
    findings: tuple[Finding, ...]
    peaks: tuple[Peak, ...] = ()
    asleep: tuple[Demand, ...] = ()


def demand_id(service: str, origin: str) -> str:
    """The id of what an origin asks of a service."""
    return f"{service}@{origin}"


def ask(
    policy: Policy,
    snapshot: Snapshot,
    known: tuple[KnownRate, ...],
    now: datetime,
    peaks: tuple[Peak, ...] = (),
    *,
    sleep: Sleep = AWAKE,
) -> Asked:
    """The demands of all services, headroom included; `known` and `peaks` are what is remembered.

    A service that wakes up is planned for as one that is hardly asked, so that nothing but what a request needs is
    loaded before it is answered; the turn after plans for what arrives.
    """
    scaling = policy.scaling
    stale_after, window = timedelta(seconds=scaling.stale_after_s), timedelta(seconds=scaling.stabilisation_s)
    before = {(item.service, item.origin): item for item in known}
    demands, asleep, rates, held, findings = [], [], [], set(), []
    counted: list[Peak] = []
    for service in policy.services:
        for origin in service.origins:
            reading = snapshot.offered_rate(service.name, origin.site)
            last = before.get((service.name, origin.site))
            freshness = reading.freshness(now, stale_after)
            rate = _known(service, origin, reading.fresh(now, stale_after), last, now)
            if service.name in sleep.asleep:
                rate = replace(rate, milli_rps=0)
            milli_rps = rate.milli_rps
            if freshness is not Freshness.FRESH and (last is not None or reading.source != "documents"):
                if scaling.on_missing is OnMissing.EXPECTED:
                    milli_rps = max(milli_rps, _expected(service, origin))
                held.add(service.name)
                level = Level.INFO if last is None else Level.WARNING
                findings.append(_unknown(service, origin, freshness, milli_rps, level))
            rates.append(rate)
            demand = Demand(demand_id(service.name, origin.site), service.name, origin.site, 0)
            if service.name in sleep.asleep:
                asleep.append(demand)
                continue
            planned = milli_rps * (1000 + scaling.headroom_permille) // 1000
            planned = max(planned, _foreseen(snapshot, service.name, origin.site, now), _guaranteed(service, origin), 1)
            if service.name in sleep.woken:
                planned = 1
            if window:
                mine = (peak for peak in peaks if (peak.service, peak.origin) == (service.name, origin.site))
                of_window = highest_first(mine, Peak(service.name, origin.site, planned, now), window)
                counted += of_window
                planned = of_window[0].milli_rps
            demands.append(replace(demand, rate_milli_rps=planned))
    return Asked(tuple(demands), tuple(rates), frozenset(held), tuple(findings), tuple(counted), tuple(asleep))


def _foreseen(snapshot: Snapshot, service: str, origin: str, now: datetime) -> int:
    """What nine forecasts of ten stay below, in thousandths of a request a second; 0 when none is in time."""
    reading = snapshot.expected_rate(service, origin)
    foreseen = reading.value
    if foreseen is None or reading.fresh(now, timedelta(seconds=foreseen.horizon_s)) is None:
        return 0
    return -(-foreseen.p90_milli_rps // STEP_MILLI_RPS) * STEP_MILLI_RPS


def _guaranteed(service: Service, origin: Origin) -> int:
    """What is ready for an origin whatever arrives, in thousandths of a request a second.

    Requests of which `burst` come at once on top of a steady rate wait no longer than `burst` over the rate at which
    they are answered (Le Boudec and Thiran, Network Calculus, 2001, theorem 1.4.2 for a token bucket at a server of
    constant rate). So it is the rate, or, where that is more, the burst within the shortest objective.
    """
    wait_us = min((item.below_us for item in service.end_to_end_from(origin.site)), default=SECOND_US)
    least = 0
    for objective in service.throughput:
        if objective.origin in ("", origin.site):
            share = WHOLE_PERMILLE if objective.origin else origin.share_permille
            at_once = -(-objective.burst * SECOND_US * 1000 // max(1, wait_us))
            least = max(least, -(-max(objective.rate_milli_rps, at_once) * share // WHOLE_PERMILLE))
    return least


def _known(service: Service, origin: Origin, measured: Rate | None, last: KnownRate | None, now: datetime) -> KnownRate:
    if measured is not None:
        if last is not None and _within_band(measured, last.milli_rps):
            return KnownRate(service.name, origin.site, last.milli_rps, now)
        return KnownRate(service.name, origin.site, measured.milli_rps, now)
    if last is not None:
        return last
    return KnownRate(service.name, origin.site, _expected(service, origin), now)


def _expected(service: Service, origin: Origin) -> int:
    """What documents expect, in thousandths of a request a second."""
    return service.expected_rate_milli_rps * origin.share_permille // WHOLE_PERMILLE


def _within_band(measured: Rate, planned_milli_rps: int) -> bool:
    """Whether the count of the window is what the planned rate may well give: its standard deviation is its root."""
    expected = planned_milli_rps * measured.window_s / 1000
    counted = measured.milli_rps * measured.window_s / 1000
    noise = math.sqrt(max(expected, 1.0))
    lowest = expected - max(KEEP_BELOW * expected, DEVIATIONS_BELOW * noise)
    highest = expected + max(KEEP_ABOVE * expected, DEVIATIONS_ABOVE * noise)
    return lowest <= counted <= highest


def _unknown(service: Service, origin: Origin, freshness: Freshness, milli_rps: int, level: Level) -> Finding:
    """Before the first window is counted this is to be expected; later, somebody should look."""
    return Finding(
        "GW2001",
        level,
        f"what arrives for {service.name} from {origin.site} is {freshness}; planning goes on with "
        f"{milli_rps / 1000:g} req/s and nothing of the service is scaled down",
        "see whether the gateway of that origin runs and answers on its admin address",
        service.place,
        subject=demand_id(service.name, origin.site),
    )
