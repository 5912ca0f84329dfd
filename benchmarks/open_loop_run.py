"""One open-loop run on the benchmark's server: what clients saw, what the server counted, and what disturbed it."""

from dataclasses import dataclass

import numpy as np
from measured_points import MMPP, SETTLED_S, Point
from open_loop import Floats, Offered, offer
from open_loop_grid import Setting
from open_loop_server import Served, Statistics

from controller.performance.arrivals import STEADY, bursty_us
from controller.performance.prediction import PERCENTILES
from controller.performance.serving import Batching, Load

ARRIVAL_SEED = 1_000
SILENCE_SERVICES = 2.2
SILENCE_US = 20_000.0
"""A server with requests to answer that answers none for so many times its longest batch, and this, has stalled."""
LATE_PART = 0.05
"""A client that sends one in a hundred requests later than this part of the p99 has measured itself."""
MOST_TAKEN = 0.05
"""The part of the server's core that something else may have."""


@dataclass(frozen=True, slots=True)
class Run:
    """A setting as it was run at `rate_rps`.

    `busy` is the part of its core that the server had, and `core_taken` the part that something else had.
    """

    number: int
    setting: Setting
    rate_rps: float
    offered: Offered
    counted: Statistics
    core_taken: float
    busy: float

    @property
    def realised_rps(self) -> float:
        """The mean rate of the schedule."""
        return self.offered.due_s.size / float(self.offered.due_s[-1])

    @property
    def latency_us(self) -> Floats:
        """Of the requests after the run has settled."""
        return self.offered.latency_us[self.offered.due_s >= min(SETTLED_S, self.offered.due_s[-1] / 2)]

    @property
    def late_us(self) -> float:
        """How late the latest of a hundred requests was sent."""
        return float(np.percentile(self.offered.lag_us, 99))

    @property
    def silence_us(self) -> float:
        """The longest time in which the server owed answers and gave none."""
        answered = np.sort(self.offered.answered_s)
        owed = np.searchsorted(self.offered.due_s, answered, side="right") - np.arange(1, answered.size + 1)
        next_due = self.offered.due_s[np.minimum(np.arange(1, answered.size + 1), answered.size - 1)]
        since = np.where(owed > 0, answered, np.maximum(next_due, answered))
        return 1e6 * float(np.max(answered[1:] - since[:-1], initial=0.0))

    @property
    def disturbances(self) -> tuple[str, ...]:
        """What makes this run one of the machine rather than of the server."""
        longest_us = max(item.total_us / item.executions for item in self.counted.times) * (
            1 + 4 * self.setting.model.spread
        )
        found = {
            "silent": self.silence_us > SILENCE_SERVICES * longest_us + SILENCE_US,
            "late": self.late_us > LATE_PART * float(np.percentile(self.latency_us, 99)),
            "core": self.core_taken > MOST_TAKEN,
        }
        return tuple(name for name, holds in found.items() if holds)

    def point(self, spread: float) -> Point:
        """The run as a point to score, with the spread that was known of its model.

        Its load is the one that was asked for: how a bursty schedule came out is nothing that was known before.
        """
        model, setting = self.setting.model, self.setting
        return Point(
            name=str(self.number),
            profile=f"{model.kind} {model.base_us} {model.each_us} {model.spread}",
            batching=Batching(setting.max_batch, float(setting.delay_us), speeds=(1.0,) * setting.instances),
            load=Load(self.rate_rps, MMPP if setting.arrivals == "mmpp" else STEADY),
            spread=spread,
            times=self.counted.times,
            mean_reply_us=float(self.offered.latency_us.mean()) - self.counted.success_us / self.counted.requests,
            seen_us=tuple(np.percentile(self.latency_us, PERCENTILES).tolist()),
            requests=self.latency_us.size,
            stalled=bool(self.disturbances),
            arrive_us=1e6 * self.offered.due_s,
            busy=self.busy,
        )


def run(served: Served, number: int, setting: Setting, rate_rps: float, requests: int) -> Run:
    """Set the server, offer the load, and read what it counted. Ends the program when an answer was an error."""
    served.load(setting.model, setting.instances, setting.max_batch, setting.delay_us)
    burst = MMPP if setting.arrivals == "mmpp" else STEADY
    due_s = bursty_us(rate_rps, burst, requests, ARRIVAL_SEED + number) / 1e6
    due_s *= requests / rate_rps / due_s[-1]  # some hundred bursts do not yet average out, and the rate is the question
    before, core = served.statistics(), served.core_time()
    offered = offer(served.port, [served.request()] * requests, due_s)
    after = served.core_time()
    if failed := int(np.isnan(offered.answered_s).sum()):
        raise SystemExit(f"error: {failed} of {requests} answers were errors\nnext:  see the server's log for why")
    lasted_s = float(due_s[-1])
    taken, busy = core.taken_by_others_s(after) / lasted_s, core.used_s(after) / lasted_s
    return Run(number, setting, rate_rps, offered, served.statistics().since(before), taken, busy)
