"""How far and for how long a demand's rate swings, from the index of dispersion of its arrivals.

Of a process with two rates in turn (`arrivals`) the index at a time t is 1 + rate * depth^2 * g(t), with

    g(t) = sojourn * (1 - (1 - exp(-x)) / x),     x = 2 * t / sojourn.

The sojourn is the one of `SOJOURNS_S` at which depth^2, by weighted least squares, leaves the least; an index over n
windows has a standard error of sqrt(2 / n) of itself. Where nothing is better than no swing by `SURE` standard errors,
arrivals are taken for Poisson, and so they are where the longest sojourn fits best: what swings for longer is another
rate, which forecasts follow. What plans use comes in steps, and a step is left only when the estimate is well beyond
it, so that plans do not wander.
"""

import math
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from collectors.burstiness import Burstiness
from collectors.snapshot import Snapshot
from controller.decision import KnownBurst
from controller.performance.arrivals import STEADY, Burst
from policy.resolved import Policy

SOJOURNS_S: Final = np.geomspace(0.05, 8.0, 40)
SURE: Final = 4.0
US: Final = 1e6
WEIGHT: Final = 0.2
"""Of the newest estimate in the smoothed one."""
DEPTH_STEP_PERMILLE: Final = 200
SOJOURN_STEP: Final = 2.0


def fitted(seen: Burstiness) -> Burst:
    """The swing that arrivals showed; `STEADY` where they show none."""
    told = [(scale_s, index) for scale_s, index in seen.dispersion if index is not None]
    if not told or seen.rate_rps <= 0:
        return STEADY
    scales_s, indices = np.array(told).T
    weights = seen.span_s / scales_s / 2 / np.maximum(indices, 1.0) ** 2
    over = indices - 1
    x = 2 * scales_s / SOJOURNS_S[:, None]
    shapes = seen.rate_rps * SOJOURNS_S[:, None] * (1 + np.expm1(-x) / x)
    squares = np.clip((shapes * weights) @ over / ((shapes**2) @ weights), 0.0, 1.0)
    left = (over - squares[:, None] * shapes) ** 2 @ weights
    best = int(np.argmin(left))
    if best == SOJOURNS_S.size - 1 or weights @ over**2 - left[best] < SURE**2:
        return STEADY
    return Burst(math.sqrt(squares[best]), US * float(SOJOURNS_S[best]))


def learn_bursts(
    policy: Policy, snapshot: Snapshot, known: tuple[KnownBurst, ...], now: datetime
) -> tuple[KnownBurst, ...]:
    """The swings of all demands after this snapshot."""
    stale_after = timedelta(seconds=policy.scaling.stale_after_s)
    current = {(item.service, item.origin): item for item in known}
    for item in snapshot.arrivals:
        seen = item.reading.fresh(now, stale_after)
        if seen is not None:
            key = (item.service, item.origin)
            current[key] = _moved(current.get(key, KnownBurst(*key)), fitted(seen))
    return tuple(item for _, item in sorted(current.items()))


def burst_of(known: tuple[KnownBurst, ...], service: str, origin: str) -> Burst:
    """What plans count with; `STEADY` for a demand that nothing is known of."""
    item = next((item for item in known if (item.service, item.origin) == (service, origin)), None)
    if item is None or not item.used_depth_permille:
        return STEADY
    return Burst(item.used_depth_permille / 1000, float(item.used_sojourn_us))


def _moved(known: KnownBurst, found: Burst) -> KnownBurst:
    depth = known.depth_permille + WEIGHT * (1000 * found.depth - known.depth_permille)
    sojourn_us = float(known.sojourn_us)
    if found.depth:
        before_us = known.sojourn_us or found.sojourn_us
        sojourn_us = before_us * (found.sojourn_us / before_us) ** WEIGHT
    used_depth, used_us = known.used_depth_permille, known.used_sojourn_us
    if abs(depth - used_depth) > DEPTH_STEP_PERMILLE * 3 / 4:
        used_depth = round(depth / DEPTH_STEP_PERMILLE) * DEPTH_STEP_PERMILLE
    if sojourn_us and (not used_us or not 1 / SOJOURN_STEP < sojourn_us / used_us < SOJOURN_STEP):
        used_us = round(SOJOURN_STEP ** round(math.log(sojourn_us, SOJOURN_STEP)))
    return KnownBurst(known.service, known.origin, round(depth), round(sojourn_us), used_depth, used_us)
