import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from collectors.snapshot import Foreseen, Offered, Rate, Reading, Snapshot
from controller.foresight import FEWEST, Foresight, Minutes, Series

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
TURN = timedelta(seconds=5)


def minutes_ahead() -> int:
    return 120


@dataclass
class Arrivals:
    """A source whose rate the test sets; None is a gateway that does not answer."""

    rate_rps: float | None = 10.0
    services: tuple[str, ...] = ("ocr",)
    name: str = field(default="arrivals", init=False)

    async def collect(self, now: datetime) -> Snapshot:
        value = None if self.rate_rps is None else Rate(round(1000 * self.rate_rps), 100, 10.0)
        readings = (Offered(name, "paris", Reading(value, now if value else None, "test")) for name in self.services)
        return Snapshot(now, offered=tuple(readings))


async def watched(foresight: Foresight, begin: datetime, minutes: float) -> Snapshot:
    now, end = begin, begin + timedelta(minutes=minutes)
    snapshot = await foresight.collect(now)
    while now < end:
        now += TURN
        await foresight.caught_up()
        snapshot = await foresight.collect(now)
    return snapshot


def foreseen(snapshot: Snapshot) -> Foreseen | None:
    return snapshot.expected_rate("ocr", "paris").value


def test_rates_become_counts_by_minute() -> None:
    minutes = Minutes()
    rate = Rate(2000, 20, 10.0)
    ended = [count for at in range(0, 185, 5) for count in minutes.read(START + timedelta(seconds=at), rate)]
    assert ended == [pytest.approx(120)] * 3


def test_a_minute_that_was_hardly_watched_is_missing_and_not_small() -> None:
    minutes, rate = Minutes(), Rate(2000, 20, 10.0)
    for at in (0, 5, 10):
        assert minutes.read(START + timedelta(seconds=at), rate) == []
    assert minutes.read(START + timedelta(seconds=15), None) == []
    assert minutes.read(START + timedelta(seconds=61), rate) == [None]


def test_minutes_are_counted_on_once_the_clock_was_set_back() -> None:
    minutes, rate = Minutes(), Rate(2000, 20, 10.0)
    for at in range(0, 30, 5):
        assert minutes.read(START + timedelta(days=14, seconds=at), rate) == []
    ended = [count for at in range(0, 125, 5) for count in minutes.read(START + timedelta(seconds=at), rate)]
    assert ended == [pytest.approx(120)] * 2


def test_a_clock_that_was_not_set_yet_leaves_no_minutes_of_half_a_century() -> None:
    minutes, rate = Minutes(), Rate(2000, 20, 10.0)
    minutes.read(datetime(1970, 1, 1, tzinfo=UTC), rate)
    began_s = time.process_time()
    assert minutes.read(START, rate) == []
    assert time.process_time() - began_s < 1
    assert [count for at in range(5, 65, 5) for count in minutes.read(START + timedelta(seconds=at), rate)] == [
        pytest.approx(120)
    ]


def test_turns_that_stood_still_for_minutes_leave_them_as_the_last_rate_or_missing() -> None:
    minutes = Minutes()
    minutes.read(START, None)
    assert minutes.read(START + timedelta(minutes=3, seconds=1), None) == [None, None, None]


async def test_nothing_is_foreseen_of_a_service_that_was_hardly_seen() -> None:
    assert foreseen(await watched(Foresight(Arrivals(), minutes_ahead), START, FEWEST - 1)) is None


async def test_a_steady_rate_is_foreseen_to_stay() -> None:
    found = foreseen(await watched(Foresight(Arrivals(), minutes_ahead), START, FEWEST + 2))
    assert found is not None
    assert found.horizon_s == minutes_ahead()
    assert found.p50_milli_rps == pytest.approx(10_000, rel=0.05)
    assert found.p50_milli_rps <= found.p90_milli_rps <= found.p99_milli_rps <= 15_000


async def test_what_arrived_is_passed_on_unchanged() -> None:
    arrivals = Arrivals()
    now = START + timedelta(minutes=1)
    assert (await Foresight(arrivals, minutes_ahead).collect(now)).offered == (await arrivals.collect(now)).offered


async def test_a_gateway_that_is_away_is_no_fall_of_demand() -> None:
    arrivals = Arrivals()
    foresight = Foresight(arrivals, minutes_ahead)
    await watched(foresight, START, FEWEST + 2)
    arrivals.rate_rps = None
    found = foreseen(await watched(foresight, START + timedelta(minutes=FEWEST + 2), 10))
    assert found is not None
    assert found.p50_milli_rps > 8000


async def test_a_service_that_left_the_policy_is_forgotten() -> None:
    arrivals = Arrivals(services=("ocr", "voice"))
    foresight = Foresight(arrivals, minutes_ahead)
    later = START + timedelta(minutes=FEWEST + 2)
    assert len((await watched(foresight, START, FEWEST + 2)).expected) == 2
    arrivals.services = ("ocr",)
    assert [item.service for item in (await foresight.collect(later + TURN)).expected] == ["ocr"]


async def test_the_same_arrivals_are_foreseen_alike_bit_for_bit() -> None:
    first, second = [await watched(Foresight(Arrivals(), minutes_ahead), START, FEWEST + 5) for _ in range(2)]
    assert first == second


async def test_forecasts_that_fail_leave_the_rates_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise ArithmeticError("nonsense")

    monkeypatch.setattr(Series, "take", failing)
    foresight, found = Foresight(Arrivals(), minutes_ahead), []
    for at in range(0, 140, 5):
        await foresight.caught_up()
        snapshot = await foresight.collect(START + timedelta(seconds=at))
        found += [finding.id for finding in snapshot.findings]
        assert snapshot.offered
    assert found == ["GW2016", "GW2016"]


async def test_a_turn_does_not_wait_for_forecasts(monkeypatch: pytest.MonkeyPatch) -> None:
    finish, finished = threading.Event(), []
    monkeypatch.setattr(Series, "take", lambda *_: finished.append(finish.wait(20)))
    foresight = Foresight(Arrivals(), minutes_ahead)
    for at in range(0, 200, 5):
        snapshot = await foresight.collect(START + timedelta(seconds=at))
        assert snapshot.offered
    assert finished == []
    finish.set()
    await foresight.caught_up()
    assert finished == [True]
