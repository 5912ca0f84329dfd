"""A controller that starts anew forecasts as one that never stopped."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from collectors.snapshot import Expected, Offered, Rate, Reading, Snapshot
from controller.demand.history import History
from controller.foresight import FEWEST, LONGEST_GAP, Foresight, Series
from controller.journal.series import UNSEEN_S, SeriesStore

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
TURN = timedelta(seconds=10)
MINUTE = timedelta(minutes=1)
STOPPED = START + 90 * MINUTE


def minutes_ahead() -> int:
    return 120


@dataclass
class Swinging:
    """A rate that is another one each minute, and the same whoever asks; unread between `away` and `back`."""

    away: datetime = START
    back: datetime = START
    name: str = field(default="arrivals", init=False)

    async def collect(self, now: datetime) -> Snapshot:
        minute = int((now - START) / MINUTE)
        milli_rps = 20_000 + round(np.random.default_rng(minute).normal(0, 4000))
        read = not self.away <= now < self.back
        reading = Reading(Rate(milli_rps, 100, 10.0), now, "test") if read else Reading(None, None, "test")
        return Snapshot(now, offered=(Offered("ocr", "paris", reading),))


async def turns(foresight: Foresight, begin: datetime, end: datetime) -> AsyncIterator[Snapshot]:
    """A turn at `begin`, at `end` and every TURN between, each after the forecasts that the one before began."""
    now = begin
    while now <= end:
        yield await foresight.collect(now)
        await foresight.caught_up()
        now += TURN


async def told(foresight: Foresight, begin: datetime, end: datetime) -> list[tuple[Expected, ...]]:
    return [snapshot.expected async for snapshot in turns(foresight, begin, end)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SeriesStore]:
    with closing(SeriesStore.open(tmp_path / "journal.db")) as store:
        yield store


async def test_stopped_and_started_at_once_it_forecasts_as_if_it_had_never_stopped(store: SeriesStore) -> None:
    running = Foresight(Swinging(), minutes_ahead)
    await told(running, START, STOPPED)
    await told(Foresight(Swinging(), minutes_ahead, store), START, STOPPED)
    went_on = await told(running, STOPPED, STOPPED + 40 * MINUTE)
    resumed = await told(Foresight(Swinging(), minutes_ahead, store), STOPPED, STOPPED + 40 * MINUTE)
    assert resumed == went_on
    assert len({expected for expected in resumed if expected}) > 30


async def test_started_later_it_forecasts_as_one_that_could_not_read_meanwhile(store: SeriesStore) -> None:
    started = STOPPED + 10 * MINUTE
    running = Foresight(Swinging(STOPPED, started), minutes_ahead)
    await told(Foresight(Swinging(), minutes_ahead, store), START, STOPPED)
    await told(running, START, started)
    went_on = await told(running, started, started + 30 * MINUTE)
    resumed = await told(Foresight(Swinging(), minutes_ahead, store), started, started + 30 * MINUTE)
    assert resumed[7:] == went_on[7:]
    assert len({expected for expected in resumed[7:] if expected}) > 20


async def test_stopped_again_and_again_it_goes_on_learning(store: SeriesStore) -> None:
    running = Foresight(Swinging(), minutes_ahead)
    now = START
    for _ in range(4):
        await told(Foresight(Swinging(), minutes_ahead, store), now, now + 25 * MINUTE)
        await told(running, now, now + 25 * MINUTE)
        now += 25 * MINUTE
    assert await told(Foresight(Swinging(), minutes_ahead, store), now, now) == await told(running, now, now)


async def test_after_more_than_a_day_it_starts_anew(store: SeriesStore) -> None:
    await told(Foresight(Swinging(), minutes_ahead, store), START, STOPPED)
    started = STOPPED + (LONGEST_GAP + 1) * MINUTE
    (first, *_), *_, (last, *_) = await told(
        Foresight(Swinging(), minutes_ahead, store), started, started + (FEWEST - 1) * MINUTE
    )
    assert first.reading.at == last.reading.at == STOPPED
    assert store.kept()[0].history.seen == FEWEST - 1


async def test_with_other_forecasters_it_keeps_the_counts(store: SeriesStore) -> None:
    await told(Foresight(Swinging(), minutes_ahead, store), START, STOPPED)
    (kept,) = store.kept()
    assert kept.learnt is not None
    store.keep([replace(kept, learnt=replace(kept.learnt, forecasters=("oracle",)))])
    first, *_, last = await told(Foresight(Swinging(), minutes_ahead, store), STOPPED, STOPPED + MINUTE + TURN)
    assert first == ()
    assert last[0].reading.at == STOPPED + MINUTE
    assert store.kept()[0].history.seen == 91


@pytest.mark.parametrize("change", ["running", "started anew"])
async def test_at_another_horizon_it_keeps_the_counts_and_tells_of_the_new_one(store: SeriesStore, change: str) -> None:
    ahead_s = [120]
    foresight = Foresight(Swinging(), lambda: ahead_s[0], store)
    await told(foresight, START, STOPPED)
    ahead_s[0] = 300
    foresight = Foresight(Swinging(), lambda: ahead_s[0], store) if change == "started anew" else foresight
    (first,), *_, (last,) = await told(foresight, STOPPED, STOPPED + MINUTE + TURN)
    assert (first.reading.value.horizon_s, last.reading.value.horizon_s) == (120, 300)
    (kept,) = store.kept()
    assert kept.history.seen == 91
    assert kept.learnt is not None
    assert kept.learnt.state.horizon_intervals == 5


async def test_what_cannot_be_kept_is_told_and_forecasts_go_on(store: SeriesStore) -> None:
    foresight = Foresight(Swinging(), minutes_ahead, store)
    await told(foresight, START, STOPPED)
    store.close()
    snapshots = [item async for item in turns(foresight, STOPPED + TURN, STOPPED + 2 * MINUTE)]
    assert [finding.id for item in snapshots for finding in item.findings] == ["GW2017"]
    assert snapshots[-1].expected[0].reading.at == STOPPED + MINUTE


async def test_a_series_that_cannot_be_forecast_is_not_kept_as_it_is(
    store: SeriesStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    foresight = Foresight(Swinging(), minutes_ahead, store)
    await told(foresight, START, STOPPED)

    def failing(*_: object) -> None:
        raise ArithmeticError("nonsense")

    with monkeypatch.context() as broken:
        broken.setattr(Series, "take", failing)
        await told(foresight, STOPPED + TURN, STOPPED + MINUTE)
    await told(foresight, STOPPED + MINUTE + TURN, STOPPED + 3 * MINUTE)
    assert store.kept()[0].history.seen == 2


def test_minutes_between_are_missing_wherever_they_come_from() -> None:
    series, index = Series(), int(START.timestamp()) // 60
    series.history = History.of(60, [10.0, 11.0], index - 6)
    series.take(START, [12.0], 2)
    assert series.history.first_index == index - 6
    assert series.history.counts.tolist()[:2] == [10, 11]
    assert np.isnan(series.history.counts[2:5]).all()
    assert series.history.last == 12


def test_minutes_that_were_counted_before_the_clock_went_back_count_once() -> None:
    series, index = Series(), int(START.timestamp()) // 60
    series.history = History.of(60, [10.0, 11.0], index - 1)
    series.take(START, [99.0], 2)
    assert series.history.counts.tolist() == [10, 11]
    series.take(START + 2 * MINUTE, [99.0, 12.0], 2)
    assert series.history.counts.tolist() == [10, 11, 12]


def test_minutes_of_a_clock_that_ran_hours_ahead_are_left_out_and_forecasts_go_on() -> None:
    series, index = Series(), int(START.timestamp()) // 60
    series.history = History.of(60, [10.0] * 100 + [50.0] * 300, index - 100)
    series.take(START, [12.0], 2)
    assert series.history.end_index == index, "the minute that ended is the last one"
    assert series.history.counts.tolist() == [*[10.0] * 99, 12.0]
    assert series.foreseen.at == START
    assert {item.index for item in series.state.pending} == {index - 1 + 2}
    series.take(START + MINUTE, [13.0], 2)
    assert series.history.last == 13


def test_a_series_is_kept_as_long_as_it_can_be_gone_on_with() -> None:
    assert timedelta(seconds=UNSEEN_S) == LONGEST_GAP * MINUTE
