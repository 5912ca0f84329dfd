"""What will probably arrive: a collector that turns another's readings into forecasts, minute by minute.

It reads what arrived, from the collector that it is given, and passes that on. What it has counted and learnt is kept
beside the journal's entries, so that a controller that starts anew goes on with it; the minutes in between are missing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Self

from collectors.collector import Collector
from collectors.snapshot import Expected, Foreseen, Rate, Reading, Snapshot
from controller.demand.history import History
from controller.demand.newcomer import Newcomer
from controller.demand.online import LIGHT, Models, State, forecast
from controller.journal.errors import JournalError
from controller.journal.series import Kept, Learnt, SeriesStore
from policy.findings import Finding, Level

INTERVAL_S: Final = 60
FEWEST: Final = 24
"""Minutes before a forecast is told: earlier ones are of a service that hardly anything is known of."""
LONGEST_GAP: Final = 1440
"""Minutes without any turn after which what was seen before says little."""
LONGEST: Final = timedelta(minutes=LONGEST_GAP)
MOST_AHEAD: Final = 5
"""Minutes that may have been counted before the clock went back; of more, those that are still to come are left out."""
STANDS: Final = timedelta(minutes=5)
"""A rate is taken to go on for as long when no turn reads another."""
OLDEST: Final = timedelta(seconds=15)
"""A rate that was read longer ago is not taken for what arrives now."""
COVERED: Final = 0.8
"""A minute of which less than this part was watched is missing, not small."""
SOURCE: Final = "forecast"
FORECASTERS: Final = tuple(item.name for item in LIGHT)

Key = tuple[str, str]
"""(service, origin)"""
Due = tuple[Key, "Series", datetime, list[float | None]]
"""A demand, its series, an instant, and the counts of the minutes that ended by then."""


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
        if self.at is None or not timedelta() <= now - self.at <= LONGEST:
            # The clock was set, back or to long after: what was counted is of other minutes.
            self.at, self.rate_rps = None, None
            self.index, self.count, self.watched_s = index, 0.0, 0.0
        elif now - self.at > STANDS:
            self.rate_rps = None
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
    state: State = field(default_factory=lambda: State.new(1, forecasters=len(LIGHT)))
    models: Models = field(default_factory=lambda: Models(LIGHT))
    foreseen: Reading[Foreseen] = field(default_factory=lambda: Reading(None, None, SOURCE))

    @classmethod
    def resumed(cls, kept: Kept) -> Self:
        """The series as it was kept. Of other forecasters, only the counts are of use."""
        learnt = kept.learnt
        if kept.history.interval_s != INTERVAL_S:
            return cls()
        if learnt is None or learnt.forecasters != FORECASTERS:
            return cls(history=kept.history)
        return cls(history=kept.history, state=learnt.state, foreseen=learnt.foreseen)

    def kept(self, key: Key) -> Kept:
        """The series as it is to be kept."""
        return Kept(*key, self.history, Learnt(FORECASTERS, self.state, self.foreseen))

    def begin(self, first_index: int = 0) -> None:
        """Start anew, with a history that begins with this minute."""
        self.history = History.of(INTERVAL_S, (), first_index)
        self.look(self.state.horizon_intervals)

    def forget(self, newest: int) -> None:
        """Leave out the newest minutes, and what was to be learnt of them and of others that are still to come."""
        self.history = self.history.without_newest(newest)
        self.state, self.models = replace(self.state, pending=()), Models(LIGHT)

    def look(self, horizon_intervals: int) -> None:
        """Learn anew to look so far ahead; the counts stay."""
        self.state, self.models = State.new(horizon_intervals, forecasters=len(LIGHT)), Models(LIGHT)

    def take(self, now: datetime, counts: list[float | None], horizon_intervals: int) -> None:
        """Add the minutes that ended by `now`, those that nobody watched as missing, and forecast after each of them.

        A long gap starts the series anew. At another horizon than before only the counts are of use.
        """
        if self.state.horizon_intervals != horizon_intervals:
            self.look(horizon_intervals)
        index = int(now.timestamp()) // INTERVAL_S
        passed = index - self.history.end_index
        if passed + MOST_AHEAD < 0:
            self.forget(len(counts) - passed)
            passed = index - self.history.end_index
        if not len(self.history.counts) or abs(passed) > LONGEST_GAP:
            self.begin(index - 1)
            counts = counts[-1:]
        else:
            counts = ([None] * passed + counts)[len(counts) :]
        for count in counts:
            self.history = self.history.then(count)
            self.state, quantiles = forecast(self.state, self.history, self.models, Newcomer())
        if counts and self.history.known >= FEWEST:
            p50, p90, p99 = (round(1000 * value / INTERVAL_S) for value in quantiles)
            self.foreseen = Reading(Foreseen(p50, p90, p99, horizon_intervals * INTERVAL_S), now, SOURCE)


class Foresight:
    """Collects what arrived, and adds what is expected to.

    Forecasting takes a moment, and sometimes a second, in which turns go on: it is done beside them, and told by the
    first turn after it. Without a store nothing outlives the process. `horizon_s` tells how far to look ahead, in whole
    minutes: by then, what a turn starts has to be loaded.
    """

    name = "foresight"

    def __init__(self, arrivals: Collector, horizon_s: Callable[[], int], store: SeriesStore | None = None) -> None:
        """Raises JournalError."""
        self._arrivals = arrivals
        self._horizon_s = horizon_s
        self._store = store
        kept = store.kept() if store else ()
        self._resumed = {(item.service, item.origin): Series.resumed(item) for item in kept}
        self._series: dict[Key, Series] = {}
        self._due: list[Due] = []
        self._work: asyncio.Task[tuple[Finding, ...]] | None = None

    async def collect(self, now: datetime) -> Snapshot:
        """The arrivals' own snapshot with a forecast for each demand of which enough was seen."""
        snapshot = await self._arrivals.collect(now)
        before = self._series
        keys = [(item.service, item.origin) for item in snapshot.offered]
        self._series = {key: before.get(key) or self._resumed.pop(key, None) or Series() for key in keys}
        for item in snapshot.offered:
            key = item.service, item.origin
            ended = self._series[key].minutes.read(now, item.reading.fresh(now, OLDEST))
            if ended:
                self._due.append((key, self._series[key], now, ended))
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
        done, self._work = self._work, None
        if self._due:
            due, self._due = self._due, []
            self._work = asyncio.create_task(
                asyncio.to_thread(_forecast_after, due, self._horizon_s() // INTERVAL_S, self._store)
            )
        return done.result() if done is not None else ()


def _forecast_after(due: list[Due], horizon_intervals: int, store: SeriesStore | None) -> tuple[Finding, ...]:
    """Forecast and keep; what went wrong. A series that cannot be forecast starts anew, so that no fault is kept."""
    findings = []
    for key, series, now, counts in due:
        try:
            series.take(now, counts, horizon_intervals)
        except Exception as trouble:  # noqa: BLE001 - whatever it is, the other series and the turns go on
            series.begin()
            findings.append(not_foreseen(key, trouble))
    changed = {key: series for key, series, _, _ in due if len(series.history.counts)}
    if store is not None:
        try:
            store.keep([series.kept(key) for key, series in changed.items()])
        except JournalError as trouble:
            findings.append(not_kept(trouble))
    return tuple(findings)


def not_foreseen(key: Key, trouble: Exception) -> Finding:
    """Forecasting failed: the rates themselves are not touched by that."""
    service, origin = key
    return Finding(
        "GW2016",
        Level.WARNING,
        f"demand cannot be foreseen ({type(trouble).__name__}: {trouble}); plans go by rates and headroom",
        "please report it; the demand's forecasts start anew",
        subject=f"{service}@{origin}",
    )


def not_kept(trouble: JournalError) -> Finding:
    """The forecasts go on; what is not written now is written with the next minute that can be."""
    return Finding(
        "GW2017",
        Level.WARNING,
        f"what forecasts go by is not kept: {trouble}",
        "the message says what to see to; a controller that starts before that forecasts from what was kept earlier",
    )
