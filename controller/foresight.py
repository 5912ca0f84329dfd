"""What will probably arrive: a collector that turns another's readings into forecasts, minute by minute.

It reads what arrived, from the collector that it is given, and passes that on. What it has seen is in memory: a
controller that starts anew forecasts again after `FEWEST` minutes, and plans by rates and headroom alone until then.
"""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from collectors.collector import Collector
from collectors.snapshot import Expected, Foreseen, Rate, Reading, Snapshot
from controller.demand.history import History
from controller.demand.newcomer import Newcomer
from controller.demand.online import LIGHT, Models, State, forecast
from policy.findings import Finding, Level

INTERVAL_S: Final = 60
HORIZON_INTERVALS: Final = 2
"""The minute after the next: by its end, what a turn now starts has been loaded and serves."""
FEWEST: Final = 24
"""Minutes before a forecast is told: earlier ones are of a service that hardly anything is known of."""
LONGEST_GAP: Final = 60
"""Minutes without any turn after which what was seen before says little."""
OLDEST: Final = timedelta(seconds=15)
"""A rate that was read longer ago is not taken for what arrives now."""
COVERED: Final = 0.8
"""A minute of which less than this part was watched is missing, not small."""
SOURCE: Final = "forecast"

Key = tuple[str, str]
"""(service, origin)"""
Due = tuple["Series", datetime, list[float | None]]
"""A series, the instant, and the counts of the minutes that ended by then."""


@dataclass(slots=True)
class Minutes:
    """Rates read now and then, added up to counts by minute."""

    at: datetime | None = None
    rate_rps: float | None = None
    index: int = 0
    count: float = 0.0
    watched_s: float = 0.0

    def read(self, now: datetime, rate: Rate | None) -> list[float | None]:
        """The counts of the minutes that ended since the last reading; None for one that was hardly watched."""
        ended: list[float | None] = []
        index = int(now.timestamp()) // INTERVAL_S
        if self.at is None:
            self.index = index
        while self.index < index:
            self._pass(datetime.fromtimestamp((self.index + 1) * INTERVAL_S, now.tzinfo))
            ended.append(self.count / self.watched_s * INTERVAL_S if self._whole() else None)
            self.index, self.count, self.watched_s = self.index + 1, 0.0, 0.0
        self._pass(now)
        self.at, self.rate_rps = now, None if rate is None else rate.milli_rps / 1000
        return ended

    def _pass(self, until: datetime) -> None:
        if self.at is not None and self.rate_rps is not None:
            passed_s = (until - self.at).total_seconds()
            self.count += self.rate_rps * passed_s
            self.watched_s += passed_s
        self.at = until

    def _whole(self) -> bool:
        return self.watched_s >= COVERED * INTERVAL_S


@dataclass(slots=True)
class Series:
    """What is known of one demand."""

    minutes: Minutes = field(default_factory=Minutes)
    history: History = field(default_factory=lambda: History.of(INTERVAL_S))
    state: State = field(default_factory=lambda: State.new(HORIZON_INTERVALS, forecasters=len(LIGHT)))
    models: Models = field(default_factory=lambda: Models(LIGHT))
    foreseen: Reading[Foreseen] = field(default_factory=lambda: Reading(None, None, SOURCE))

    def take(self, now: datetime, counts: list[float | None]) -> None:
        """Add minutes that ended, and forecast after each of them. A long gap starts the series anew."""
        if not len(self.history.counts) or len(counts) > LONGEST_GAP:
            counts = counts[-LONGEST_GAP:]
            self.history = History.of(INTERVAL_S, (), self.minutes.index - len(counts))
            self.state, self.models = State.new(HORIZON_INTERVALS, forecasters=len(LIGHT)), Models(LIGHT)
        for count in counts:
            self.history = self.history.then(count)
            self.state, quantiles = forecast(self.state, self.history, self.models, Newcomer())
            if self.history.seen >= FEWEST:
                p50, p90, p99 = (round(1000 * value / INTERVAL_S) for value in quantiles)
                self.foreseen = Reading(Foreseen(p50, p90, p99, HORIZON_INTERVALS * INTERVAL_S), now, SOURCE)


class Foresight:
    """Collects what arrived, and adds what is expected to.

    Forecasting takes a moment, and sometimes a second, in which turns go on: it is done beside them, and told by the
    first turn after it.
    """

    name = "foresight"

    def __init__(self, arrivals: Collector) -> None:
        self._arrivals = arrivals
        self._series: dict[Key, Series] = {}
        self._due: list[Due] = []
        self._work: asyncio.Task[None] | None = None

    async def collect(self, now: datetime) -> Snapshot:
        """The arrivals' own snapshot with a forecast for each demand of which enough was seen."""
        snapshot = await self._arrivals.collect(now)
        before = self._series
        self._series = {key: before.get(key, Series()) for key in ((x.service, x.origin) for x in snapshot.offered)}
        for item in snapshot.offered:
            series = self._series[item.service, item.origin]
            ended = series.minutes.read(now, item.reading.fresh(now, OLDEST))
            if ended:
                self._due.append((series, now, ended))
        findings = (*snapshot.findings, *self._go_on())
        expected = tuple(Expected(*key, series.foreseen) for key, series in self._series.items() if series.foreseen.at)
        return replace(snapshot, expected=expected, findings=findings)

    async def caught_up(self) -> None:
        """Wait until the forecasts that were begun are made."""
        if self._work is not None:
            await asyncio.wait([self._work])

    def _go_on(self) -> tuple[Finding, ...]:
        """Begin what is due, when what was begun before is done; what went wrong with that."""
        if self._work is not None and not self._work.done():
            return ()
        trouble = self._work.exception() if self._work is not None else None
        self._work = None
        if self._due:
            due, self._due = self._due, []
            self._work = asyncio.create_task(asyncio.to_thread(_forecast_after, due))
        return (not_foreseen(trouble),) if trouble is not None else ()


def _forecast_after(due: list[Due]) -> None:
    for series, now, counts in due:
        series.take(now, counts)


def not_foreseen(trouble: BaseException) -> Finding:
    """Forecasting failed: the rates themselves are not touched by that."""
    return Finding(
        "GW2016",
        Level.WARNING,
        f"demand cannot be foreseen ({type(trouble).__name__}: {trouble}); plans go by rates and headroom",
        "please report it; forecasts start anew with the controller",
    )
