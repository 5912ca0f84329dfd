"""How long requests queued and computed on each pool's Triton, from its own spans."""

from collections import defaultdict
from datetime import datetime, timedelta

from collectors.otlp.clocks import ClockCheck
from collectors.otlp.ids import SeenIds
from collectors.otlp.inbox import Inbox
from collectors.otlp.join import RequestJoin, Served
from collectors.otlp.series import WindowSeries
from collectors.snapshot import Quantiles, Reading, Snapshot, StageTimes, StageWork, Work
from collectors.triton_names import model_and_variant

Stage = tuple[str, str, str]
"""A pool, a model and a variant."""


class TritonSpans:
    """Reads what the servers posted.

    Queue time is QUEUE_START to COMPUTE_START, compute time COMPUTE_START to COMPUTE_END. Requests of models that are
    not named `<model>--<variant>` are passed over.
    """

    name = "triton_spans"

    def __init__(self, inbox: Inbox, window: timedelta = timedelta(seconds=30)) -> None:
        self._inbox = inbox
        self._clocks = ClockCheck(window)
        self._seen = SeenIds(kept_for=2 * window)
        self._joins: defaultdict[str, RequestJoin] = defaultdict(RequestJoin)
        self._queue = WindowSeries[Stage](window)
        self._compute = WindowSeries[Stage](window)

    async def collect(self, now: datetime) -> Snapshot:
        """The times of every variant that computed a request in the window."""
        for batch in self._inbox.drain():
            for span in batch.spans:
                if self._seen.first_time(span.id, now) and (served := self._joins[batch.pool].add(span, now)):
                    self._count(batch.pool, served, now)
        queue = self._queue.readings(now, self.name)
        compute = self._compute.readings(now, self.name)
        works = tuple(
            self._work(stage, queue[stage], compute[stage]) for stage in sorted(queue.keys() & compute.keys())
        )
        findings = self._clocks.findings(self.name) + self._queue.findings(self.name)
        return Snapshot(now, work=works, findings=findings)

    def _count(self, pool: str, served: Served, now: datetime) -> None:
        split = model_and_variant(served.queued.triton_name)
        at = self._clocks.instant(served.computed.end_ns, now)
        if split is None or at is None:
            return
        stage = (pool, *split)
        computed = served.computed
        self._queue.add(stage, at, self._clocks.duration_us(served.queued.queue_start_ns, computed.start_ns))
        self._compute.add(stage, at, self._clocks.duration_us(computed.start_ns, computed.end_ns))

    def _work(self, stage: Stage, queue: Reading[Quantiles], compute: Reading[Quantiles]) -> Work:
        counters: Reading[StageWork] = Reading(None, None, self.name)
        both = StageTimes(queue.value, compute.value) if queue.value and compute.value else None
        times = Reading(both, queue.at, self.name)
        return Work(*stage, counters, times)
