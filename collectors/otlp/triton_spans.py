"""How long requests queued and computed on the Tritons of each pool, from their own spans."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from collectors.catalogue import orphaned_spans
from collectors.instants import since_epoch_us
from collectors.otlp.clocks import ClockCheck
from collectors.otlp.ids import SeenIds
from collectors.otlp.inbox import Inbox
from collectors.otlp.join import RequestJoin, Served
from collectors.otlp.series import WindowSeries
from collectors.snapshot import Quantiles, Reading, Snapshot, StageTimes, StageWork, Work
from collectors.triton_names import model_and_variant

Stage = tuple[str, str, str]
"""A pool, a model and a variant."""

Told = Callable[[Stage, int, int, float], None]
"""Takes a stage, its queue and compute time in us, and the adjusted count of a request."""

ALL_TRACED: Final[Mapping[str, int]] = MappingProxyType({})


class TritonSpans:
    """Reads what the servers posted.

    Queue time is QUEUE_START to COMPUTE_START, compute time COMPUTE_START to COMPUTE_END. Requests of models that are
    not named `<model>--<variant>` are passed over. `one_in` gives, by pool, the trace rate that its servers were
    started with, and `otherwise` that of all other pools: a request then stands for so many, unless its own trace state
    says how many. `told` is called with each that counts.
    """

    name = "triton_spans"

    def __init__(
        self,
        inbox: Inbox,
        window: timedelta = timedelta(seconds=30),
        one_in: Mapping[str, int] = ALL_TRACED,
        otherwise: int = 1,
        told: Told | None = None,
    ) -> None:
        self._inbox = inbox
        self._told = told
        self._one_in = dict(one_in)
        self._otherwise = otherwise
        self._clocks = ClockCheck(window)
        self._seen = SeenIds(kept_for=1.5 * window)
        self._joins: defaultdict[str, RequestJoin] = defaultdict(lambda: RequestJoin(self._seen))
        self._queue = WindowSeries[Stage](window)
        self._compute = WindowSeries[Stage](window)

    def read(self, now: datetime) -> None:
        """Take what has come from the inbox into the windows."""
        now_us = since_epoch_us(now)
        for batch in self._inbox.drain():
            join = self._joins[batch.pool]
            for span in batch.spans:
                if (served := join.add(span, now)) is not None:
                    self._count(batch.pool, served, now_us)

    async def collect(self, now: datetime) -> Snapshot:
        """The times of every variant that computed a request in the window."""
        self.read(now)
        queue = self._queue.readings(now, self.name)
        compute = self._compute.readings(now, self.name)
        works = tuple(
            self._work(stage, queue[stage], compute[stage]) for stage in sorted(queue.keys() & compute.keys())
        )
        orphans = sum(join.orphans(now) for join in self._joins.values())
        findings = (
            *self._clocks.findings(self.name),
            *self._queue.findings(self.name),
            *self._seen.findings(self.name),
            *((orphaned_spans(orphans, self.name),) if orphans else ()),
        )
        return Snapshot(now, work=works, findings=findings)

    def _count(self, pool: str, served: Served, now_us: int) -> None:
        queued, computed = served.queued, served.computed
        split = model_and_variant(queued.triton_name)
        at_us = self._clocks.instant_us(computed.end_ns, now_us)
        if split is None or at_us is None:
            return
        stage = (pool, *split)
        count = queued.adjusted_count or float(self._one_in.get(pool, self._otherwise))
        queue_us = self._clocks.duration_us(queued.queue_start_ns, computed.start_ns)
        compute_us = self._clocks.duration_us(computed.start_ns, computed.end_ns)
        self._queue.add(stage, at_us, queue_us, count)
        self._compute.add(stage, at_us, compute_us, count)
        if self._told is not None:
            self._told(stage, queue_us, compute_us, count)

    def _work(self, stage: Stage, queue: Reading[Quantiles], compute: Reading[Quantiles]) -> Work:
        counters: Reading[StageWork] = Reading(None, None, self.name)
        both = StageTimes(queue.value, compute.value) if queue.value and compute.value else None
        times = Reading(both, queue.at, self.name)
        return Work(*stage, counters, times)
