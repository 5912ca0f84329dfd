"""What forecasts go by lies beside the entries, bounded, and is read back to the last bit."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from collectors.snapshot import Foreseen, Reading
from controller.demand.history import MOST_INTERVALS, History
from controller.demand.online import LEVELS, Pending, State
from controller.journal.errors import JournalError
from controller.journal.place import Place
from controller.journal.series import PART, UNSEEN_S, Kept, Learnt, SeriesStore
from tests.journal.behind import asked, changed

FIRST = 29_600_000
"""A minute of 2026, counted from 1970 on."""
FORESEEN = Reading(Foreseen(1000, 2000, 3000, 120), datetime(2026, 5, 4, 12, 0, 3, 250_001, tzinfo=UTC), "forecast")
LEARNT = Learnt(
    ("last value",), replace(State.new(2, LEVELS, 1), pending=(Pending(7, (None,), (1 / 3, 2.0, 3.0)),)), FORESEEN
)


@pytest.fixture
def store(place: Place) -> Iterator[SeriesStore]:
    with closing(SeriesStore.open(place)) as store:
        yield store


def history(intervals: int, first_index: int = FIRST) -> History:
    """Counts that are no round numbers, and a gap."""
    counts = np.random.default_rng(1).gamma(3, 100, intervals).tolist()
    return History.of(60, [None if 5 <= i < 9 else count for i, count in enumerate(counts)], first_index)


def kept(past: History, service: str = "ocr") -> Kept:
    return Kept(service, "paris", past, LEARNT)


def same(found: History, wanted: History) -> bool:
    places = [(item.interval_s, item.first_index, item.seen) for item in (found, wanted)]
    return places[0] == places[1] and np.array_equal(found.counts, wanted.counts, equal_nan=True)


def test_a_series_is_read_back_to_the_last_bit(store: SeriesStore, place: Place) -> None:
    past = history(1000)
    store.keep([kept(past), kept(past.then(1.0), "voice")])
    with closing(SeriesStore.open(place)) as again:
        ocr, voice = again.kept()
    assert same(ocr.history, past)
    assert same(voice.history, past.then(1.0))
    assert (ocr.service, ocr.origin, ocr.learnt) == ("ocr", "paris", LEARNT)


def test_minute_by_minute_it_is_the_same_as_at_once(store: SeriesStore) -> None:
    first_index = (FIRST // PART + 1) * PART - 20
    past = History.of(60, (), first_index)
    for count in history(40).counts.tolist():
        past = past.then(None if np.isnan(count) else count)
        store.keep([kept(past)])
    assert same(store.kept()[0].history, past)


def test_minutes_that_could_not_be_kept_are_kept_with_those_after_them(store: SeriesStore) -> None:
    past = history(3 * PART)
    store.keep([kept(History.of(60, past.counts[9:50], FIRST + 9))])
    store.keep([kept(History.of(60, past.counts[9:], FIRST + 9))])
    assert np.array_equal(store.kept()[0].history.counts, past.counts[9:])


def test_a_series_stays_as_large_as_its_history(store: SeriesStore, place: Place) -> None:
    past = history(MOST_INTERVALS + 3 * PART)
    store.keep([kept(past)])
    for count in range(2 * PART):
        past = past.then(float(count))
    store.keep([kept(past)])
    assert same(store.kept()[0].history, past)
    assert asked(place, "SELECT count(*) FROM series_part") <= MOST_INTERVALS // PART + 1
    assert asked(place, "SELECT sum(length(body)) FROM series_part") < 12 * MOST_INTERVALS


def test_a_series_that_started_anew_leaves_nothing_of_before(store: SeriesStore) -> None:
    store.keep([kept(history(2000))])
    for anew in (history(10, FIRST + 5000), history(10, FIRST + 300)):
        store.keep([kept(anew)])
        assert same(store.kept()[0].history, anew)


def test_a_series_that_was_not_seen_for_a_day_is_dropped(store: SeriesStore, place: Place) -> None:
    past, day = history(500), UNSEEN_S // 60
    store.keep([kept(past), kept(past, "voice")])
    store.keep([kept(replace(past, first_index=FIRST + day))])
    assert [item.service for item in store.kept()] == ["ocr", "voice"]
    store.keep([kept(replace(past, first_index=FIRST + day + 1))])
    assert [item.service for item in store.kept()] == ["ocr"]
    assert asked(place, "SELECT DISTINCT service FROM series_part") == "ocr"


def test_what_another_release_has_learnt_is_left_and_the_counts_are_taken(store: SeriesStore, place: Place) -> None:
    past = history(100)
    store.keep([kept(past)])
    changed(place, "UPDATE series SET learnt = :learnt", learnt=zlib.compress(b'{"weights":[1,2]}'))
    (found,) = store.kept()
    assert same(found.history, past)
    assert found.learnt is None


@pytest.mark.parametrize(
    "sql", ["DELETE FROM series_part WHERE part = :part", "DELETE FROM series_part WHERE part >= :part"]
)
def test_counts_that_are_not_whole_are_an_error_that_says_so(store: SeriesStore, place: Place, sql: str) -> None:
    store.keep([kept(history(4 * PART))])
    changed(place, sql, part=FIRST // PART + 1)
    with pytest.raises(JournalError, match=r"ocr@paris are not whole.*backup"):
        store.kept()


def test_a_journal_that_another_process_keeps_locked_is_an_error(path: Path) -> None:
    store = SeriesStore.open(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked"):
            store.keep([kept(history(10))])
        connection.execute("ROLLBACK")
    store.keep([kept(history(10))])
    assert len(store.kept()) == 1
    store.close()
