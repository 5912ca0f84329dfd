"""How long runs of a service took for their callers, and how bursty they came.

Both from the span that an application puts around each run.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from collectors.arrivals import ArrivalSeries
from collectors.catalogue import failed_runs
from collectors.instants import since_epoch_us
from collectors.objective_runs import RunCounts
from collectors.otlp.clocks import ClockCheck
from collectors.otlp.ids import SeenIds
from collectors.otlp.inbox import Inbox
from collectors.otlp.series import WindowSeries
from collectors.otlp.spans import KIND_CLIENT, ORIGIN, SERVICE, Span
from collectors.snapshot import Arrivals, Latency, Quantiles, Reading, Snapshot

Demand = tuple[str, str]
"""A service and an origin."""
Told = Callable[[Demand, int, float], None]
"""Takes a demand, how long a run of it took in us, and the adjusted count."""


class ClientSpans:
    """Reads what applications posted: spans of kind CLIENT that carry both attributes, one for each run of a pipeline.

    A run whose status is ERROR counts as an error and not into the latency: a refusal is quick. A run that was sampled
    counts for as many as its trace state says that it stands for. `counts` and `told` are told of each that
    did not fail.
    """

    name = "client_spans"

    def __init__(
        self,
        inbox: Inbox,
        window: timedelta = timedelta(seconds=30),
        counts: RunCounts | None = None,
        told: Told | None = None,
    ) -> None:
        self._inbox = inbox
        self._told = told
        self._counts = counts or RunCounts(tuple)
        self._clocks = ClockCheck(window)
        self._seen = SeenIds(kept_for=1.5 * window)
        self._runs = WindowSeries[Demand](window)
        self._errors = WindowSeries[Demand](window)
        self._arrivals = ArrivalSeries[Demand]()

    def read(self, now: datetime) -> None:
        """Take what has come from the inbox into the windows."""
        now_us = since_epoch_us(now)
        for batch in self._inbox.drain():
            for span in batch.spans:
                demand = _demand(span)
                if demand is not None and self._seen.first_time(span.id, now):
                    self._count(demand, span, now_us)

    async def collect(self, now: datetime) -> Snapshot:
        """The latency of every service from every origin that runs were told of in the window, and their arrivals."""
        self.read(now)
        runs = self._runs.readings(now, self.name)
        errors = {
            demand: reading.value.count
            for demand, reading in self._errors.readings(now, self.name).items()
            if reading.value
        }
        nothing: Reading[Quantiles] = Reading(None, None, self.name)
        latency = tuple(
            Latency(*demand, runs.get(demand, nothing), errors.get(demand, 0)) for demand in sorted({*runs, *errors})
        )
        findings = (
            *(failed_runs(item) for item in latency if item.errors),
            *self._clocks.findings(self.name),
            *self._runs.findings(self.name),
            *self._seen.findings(self.name),
        )
        begun = self._arrivals.readings(now, self.name)
        arrivals = tuple(Arrivals(*demand, reading) for demand, reading in sorted(begun.items()))
        return Snapshot(now, latency=latency, findings=findings, arrivals=arrivals)

    def _count(self, demand: Demand, span: Span, now_us: int) -> None:
        at_us = self._clocks.instant_us(span.end_ns, now_us)
        if at_us is not None:
            series = self._errors if span.failed else self._runs
            duration_us = self._clocks.duration_us(span.start_ns, span.end_ns)
            series.add(demand, at_us, duration_us, span.adjusted_count or 1.0)
            if not span.failed:
                self._counts.add(*demand, duration_us, span.adjusted_count or 1.0)
                if self._told is not None:
                    self._told(demand, duration_us, span.adjusted_count or 1.0)
            self._arrivals.add(demand, at_us - duration_us, span.adjusted_count or 1.0)


def _demand(span: Span) -> Demand | None:
    service, origin = span.attributes.get(SERVICE), span.attributes.get(ORIGIN)
    return (service, origin) if span.kind == KIND_CLIENT and service and origin else None
