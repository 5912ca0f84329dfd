"""How soon predictions hold again after a model has become slower.

One steady run is cut into control intervals. At the end of each the server's batch statistics are read, as a controller
would; what they added is all that the prediction of the next interval learns. In the middle of the run every request
starts to ask for half as much time again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from open_loop import Offered, offer
from open_loop_server import Served, statistics
from rich.console import Console
from rich.table import Table

from controller.performance.arrivals import poisson_us
from controller.performance.prediction import PERCENTILES, Prediction, predict
from controller.performance.service_curve import service_curve
from controller.performance.serving import Batching, Load, ServiceTimes, capacity_rps

INTERVAL_S = 3.0
INTERVALS_BEFORE = 6
INTERVALS_AFTER = 8
DURATION_S = INTERVAL_S * (INTERVALS_BEFORE + INTERVALS_AFTER)
SLOWER_PERMILLE = 1500
UTILISATION = 0.5
MAX_BATCH = 8
SEED = 99


@dataclass(frozen=True, slots=True)
class Watched:
    """One interval: what was predicted from the intervals before, and p50, p95 and p99 as clients saw them."""

    predicted: Prediction
    seen_us: tuple[float, ...]

    @property
    def within(self) -> tuple[bool, ...]:
        """For each percentile whether it is within its bounds."""
        intervals = (self.predicted.p50, self.predicted.p95, self.predicted.p99)
        return tuple(i.low_us <= seen <= i.high_us for i, seen in zip(intervals, self.seen_us, strict=True))


def recovery(served: Served, service: ServiceTimes) -> dict[str, object]:
    """Run it on the model that is loaded, at one instance; print the intervals and tell how many were out of bounds."""
    batching = Batching(MAX_BATCH)
    rate_rps = UTILISATION * capacity_rps(service, batching)
    arrive_s = poisson_us(rate_rps, int(rate_rps * DURATION_S), SEED) / 1e6
    changed_s = INTERVAL_S * INTERVALS_BEFORE
    looks_s = INTERVAL_S * np.arange(INTERVALS_BEFORE + INTERVALS_AFTER)
    sent = [(at, served.request() if at < changed_s else served.request(SLOWER_PERMILLE)) for at in arrive_s]
    sent = sorted([*sent, *((at, served.statistics_request()) for at in looks_s)], key=lambda item: item[0])
    looks = [index for index, (at, _) in enumerate(sent) if at in looks_s]
    offered = offer(served.port, [request for _, request in sent], np.array([at for at, _ in sent]), keep=looks)
    watched = _watched(offered, looks, service, Load(rate_rps))
    _show(watched)
    late = [not all(item.within) for item in watched[INTERVALS_BEFORE - 1 :]]
    return {
        "slower_percent": SLOWER_PERMILLE / 10 - 100,
        "interval_s": INTERVAL_S,
        "intervals_out_of_bounds": late.index(False) if False in late else None,
        "within_before": round(float(np.mean([item.within for item in watched[: INTERVALS_BEFORE - 1]])), 3),
        "within_after": round(float(np.mean([item.within for item in watched[INTERVALS_BEFORE:]])), 3),
    }


def _watched(offered: Offered, looks: Sequence[int], service: ServiceTimes, load: Load) -> list[Watched]:
    counted = [statistics(offered.bodies[index]) for index in looks]
    found = []
    for at in range(1, len(looks)):
        # The first look is at the start: the interval that ends with look `at` teaches the one that begins with it.
        learned = counted[at].since(counted[at - 1]).times
        curve = service_curve(learned, MAX_BATCH, service.batch_us)
        rows = slice(looks[at] + 1, looks[at + 1] if at + 1 < len(looks) else None)
        latency_us = offered.latency_us[rows]
        predicted = predict(
            ServiceTimes(curve, service.spread, service.gap, service.reply),
            Batching(MAX_BATCH),
            load,
            window=latency_us.size,
        )
        found.append(Watched(predicted, tuple(np.percentile(latency_us, PERCENTILES).tolist())))
    return found


def _show(watched: Sequence[Watched]) -> None:
    table = Table(title=f"{SLOWER_PERMILLE / 10 - 100:g} % slower from interval {INTERVALS_BEFORE + 1} on")
    for name in ("interval", "p50 ms", "predicted", "p99 ms", "predicted", "within"):
        table.add_column(name, justify="right")
    for number, item in enumerate(watched, 2):
        bounds = [
            f"{interval.low_us / 1000:.1f} to {interval.high_us / 1000:.1f}"
            for interval in (item.predicted.p50, item.predicted.p99)
        ]
        seen = [f"{value / 1000:.1f}" for value in item.seen_us]
        table.add_row(str(number), seen[0], bounds[0], seen[2], bounds[1], f"{sum(item.within)} of 3")
    Console(width=120).print(table)
