"""Service times learnt from what servers count, and predictions held against what callers see.

For each variant on a device the executions of each batch size are remembered, the newest weighing most: beyond `MEMORY`
executions of a size the older ones count less. A change of speed (another driver, a throttled device, a neighbour) is
told from noise by the time that the newest executions took together against what was expected of them. Then all that
was remembered is brought to the new speed and counts as little, so that the next readings soon outweigh it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import BatchTime, Snapshot
from controller.decision import Forecast, LearntTimes, PredictionError
from controller.performance.service_curve import service_curve
from controller.performance.service_time import batch_us
from policy.resolved import Policy, VariantProfile

MEMORY: Final = 200
AFTER_A_CHANGE: Final = 5
"""Executions of a size that what was known before a change still counts for."""
CHANGE: Final = 0.1
NOISE: Final = 0.5
"""A change is a difference of more than this part that is also more than three standard errors, when one execution
varies by `NOISE` of its time, which is more than fixed networks do."""
BAND: Final = 0.04
"""Times that differ less than this part from those in use change nothing, so that plans do not wander with noise."""

Key = tuple[str, str, str]
"""(model, variant, device)"""


def learn(
    policy: Policy, counted: Mapping[Key, Sequence[BatchTime]], known: tuple[LearntTimes, ...]
) -> tuple[LearntTimes, ...]:
    """What is known of every variant on every device after these executions."""
    current = {(item.model, item.variant, item.device): item for item in known}
    profiles = {(p.model, p.variant, d.device): p for d in policy.devices for p in d.variants}
    for key, times in counted.items():
        if key in profiles:
            before = current.get(key, LearntTimes(*key))
            curve_us = curve(profiles[key], before.counted)
            remembered = _remembered(before.counted, times, curve_us)
            after_us = curve(profiles[key], remembered)
            used_us = after_us if _moved(before.used_us, after_us) else before.used_us
            current[key] = LearntTimes(*key, remembered, used_us)
    return tuple(item for _, item in sorted(current.items()))


def _moved(before_us: tuple[int, ...], after_us: tuple[int, ...]) -> bool:
    if len(before_us) != len(after_us):
        return True
    return any(abs(after / before - 1) > BAND for before, after in zip(before_us, after_us, strict=True))


def curve(profile: VariantProfile, counted: Iterable[BatchTime]) -> tuple[int, ...]:
    """s(1), s(2), … in us up to the largest profiled batch: as counted, and shaped like the profile elsewhere."""
    largest = profile.service_us[-1][0]
    prior_us = [0.0, *(float(batch_us(profile, batch)) for batch in range(1, largest + 1))]
    return tuple(max(1, round(time_us)) for time_us in service_curve(counted, largest, prior_us)[1:])


def _remembered(
    known: tuple[BatchTime, ...], new: Sequence[BatchTime], curve_us: tuple[int, ...]
) -> tuple[BatchTime, ...]:
    """Old and new executions together, by size."""
    executions = sum(item.executions for item in new)
    expected_us = sum(item.executions * curve_us[min(item.batch, len(curve_us)) - 1] for item in new)
    ratio = sum(item.total_us for item in new) / expected_us
    if known and abs(ratio - 1) > max(CHANGE, 3 * NOISE / math.sqrt(executions)):
        known = tuple(_weighing(item, AFTER_A_CHANGE, ratio) for item in known)
    totals: dict[int, BatchTime] = {}
    for item in (*known, *new):
        before = totals.get(item.batch, BatchTime(item.batch, 0, 0))
        totals[item.batch] = BatchTime(item.batch, before.executions + item.executions, before.total_us + item.total_us)
    return tuple(_weighing(item, MEMORY) for _, item in sorted(totals.items()))


def _weighing(item: BatchTime, most: int, ratio: float = 1.0) -> BatchTime:
    """The same mean time, times a ratio, of at most so many executions."""
    weight = min(most, item.executions)
    return BatchTime(item.batch, weight, round(ratio * item.total_us * weight / item.executions))


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
