"""What the servers' own counters say about the profiles, and what callers' spans say about the predictions."""

from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import Snapshot, StageWork
from controller.decision import Correction, Forecast, PredictionError
from controller.performance.service_time import batch_us
from policy.resolved import Policy, VariantProfile

FEWEST_REQUESTS: Final = 12
"""Below this many requests in a window, counters say too little to correct a profile by."""
ALONE_PERMILLE: Final = 950
"""Only windows in which this part of the executions held one request tell a service time: Triton counts the time of a
batch once for each of its requests, so that a mix of batch sizes looks slower than any of them is."""
BAND_PERMILLE: Final = 80
"""Corrections that differ less than this from the one in use change nothing, so that plans do not wander with noise."""
LEAST_PERMILLE: Final = 300
MOST_PERMILLE: Final = 5000


def corrections(
    policy: Policy, snapshot: Snapshot, known: tuple[Correction, ...], now: datetime
) -> tuple[Correction, ...]:
    """The corrections in use, moved to what fresh counters show where that differs by more than the band."""
    stale_after = timedelta(seconds=policy.scaling.stale_after_s)
    current = {(item.model, item.variant, item.device): item.permille for item in known}
    profiles = {(p.model, p.variant, d.device): p for d in policy.devices for p in d.variants}
    devices = {pool.name: pool.device for pool in policy.pools}
    for work in snapshot.work:
        key = (work.model, work.variant, devices.get(work.pool, ""))
        counters = work.counters.fresh(now, stale_after)
        if counters is None or key not in profiles or not _tells(counters):
            continue
        measured = _measured_permille(counters, profiles[key])
        if abs(measured - current.get(key, 1000)) > BAND_PERMILLE:
            current[key] = measured
    return tuple(Correction(*key, permille) for key, permille in sorted(current.items()))


def _tells(counters: StageWork) -> bool:
    """Whether the window shows the time of single requests."""
    alone = counters.executions * 1000 >= counters.requests * ALONE_PERMILLE
    return counters.requests >= FEWEST_REQUESTS and alone


def _measured_permille(counters: StageWork, profile: VariantProfile) -> int:
    """Mean compute time over the profile's time for one request."""
    measured_us = counters.compute_us / counters.requests
    return min(MOST_PERMILLE, max(LEAST_PERMILLE, round(1000 * measured_us / batch_us(profile, 1))))


def prediction_errors(
    forecasts: tuple[Forecast, ...], snapshot: Snapshot, now: datetime, stale_after: timedelta
) -> tuple[PredictionError, ...]:
    """The last forecasts against the end-to-end latencies that callers report now."""
    seen = {(item.service, item.origin): item.reading.fresh(now, stale_after) for item in snapshot.latency}
    errors = []
    for forecast in forecasts:
        observed = seen.get((forecast.service, forecast.origin))
        if observed is not None and forecast.served_permille:
            runs = observed.sampled or observed.count
            errors.append(PredictionError(forecast.service, forecast.origin, forecast.p99_us, observed.p99_us, runs))
    return tuple(errors)
