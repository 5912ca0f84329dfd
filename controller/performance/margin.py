"""How much more than predicted a demand's latency may be: learnt from what its callers saw.

The margin m of a demand is to hold in nine windows of ten: seen <= m * predicted. After each window it is multiplied by
exp(PACE * (missed - 0.1)), with missed 1 or 0: a quantile tracked by its own mistakes, whatever the reason for them
(Gibbs and Candes, Adaptive Conformal Inference under Distribution Shift, 2021). It is never below 1, for predictions
are made for the planned rate, which has headroom. Only windows at rest count: while a fleet changes, what callers see
is of two plans.

Plans use the margin in steps, and a step is left only when the margin is well beyond it, so that plans do not wander.
"""

import math
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import Quantiles, Snapshot
from controller.decision import Forecast, Margin, State
from policy.findings import Finding, Level
from policy.resolved import WHOLE_PERMILLE, Policy

CALM: Final = timedelta(seconds=60)
"""After this no window holds what callers saw while the fleet was changed, or while a surge was worked off."""
PACE: Final = 0.08
MISSES: Final = 0.1
HIGHEST_PERMILLE: Final = 3000
STEP_PERMILLE: Final = 100
FEWEST_RUNS: Final = 40
"""Below this many runs a window's p95 says too little."""
NOTABLE_PERMILLE: Final = 1200


def learn_margins(policy: Policy, snapshot: Snapshot, state: State, now: datetime) -> tuple[Margin, ...]:
    """The margins after this snapshot: of the demands that rest and were seen by enough callers."""
    known = {(item.service, item.origin): item for item in state.margins}
    stale_after = timedelta(seconds=policy.scaling.stale_after_s)
    if state.rest_since is None or now - state.rest_since < CALM:
        return state.margins
    seen = {(item.service, item.origin): item.reading.fresh(now, stale_after) for item in snapshot.latency}
    for forecast in state.forecasts:
        key = (forecast.service, forecast.origin)
        latency = seen.get(key)
        if latency is None or (latency.sampled or latency.count) < FEWEST_RUNS or not _told(forecast):
            continue
        known[key] = _moved(known.get(key, Margin(*key)), _missed(latency, forecast, known.get(key)))
    return tuple(item for _, item in sorted(known.items()))


def margin_permille(margins: tuple[Margin, ...], service: str, origin: str) -> int:
    """What a plan multiplies the predictions of a demand by."""
    return next((m.used_permille for m in margins if (m.service, m.origin) == (service, origin)), WHOLE_PERMILLE)


def findings(margins: tuple[Margin, ...]) -> tuple[Finding, ...]:
    """The demands whose latency is predicted too low, so that plans keep more room for them."""
    return tuple(
        Finding(
            "GW2015",
            Level.WARNING,
            f"latency has been above its prediction; plans count with {item.used_permille / 10 - 100:g} % more",
            "look at `gridwright explain SERVICE --latency` for the part that differs; measure the profile again",
            subject=f"{item.service}@{item.origin}",
        )
        for item in margins
        if item.used_permille >= NOTABLE_PERMILLE
    )


def _told(forecast: Forecast) -> bool:
    return forecast.p95_us > 0 and forecast.served_permille == WHOLE_PERMILLE


def _missed(latency: Quantiles, forecast: Forecast, margin: Margin | None) -> bool:
    """Whether the window's p95 is above what was to be expected of it."""
    permille = margin.permille if margin else WHOLE_PERMILLE
    return latency.p95_us * WHOLE_PERMILLE > forecast.p95_us * permille


def _moved(margin: Margin, missed: bool) -> Margin:  # noqa: FBT001 - the one thing that it is about
    factor = math.exp(PACE * (missed - MISSES))
    permille = min(HIGHEST_PERMILLE, max(WHOLE_PERMILLE, round(margin.permille * factor)))
    used = margin.used_permille
    if not used - 2 * STEP_PERMILLE < permille <= used:
        used = -(-permille // STEP_PERMILLE) * STEP_PERMILLE
    return Margin(margin.service, margin.origin, permille, used)
