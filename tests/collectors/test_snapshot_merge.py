from datetime import UTC, datetime, timedelta

from collectors.snapshot import Freshness, Quantiles, Reading, Snapshot, StageTimes, StageWork, Work, merge

NOW = datetime(2026, 11, 24, tzinfo=UTC)
COUNTERS = Reading(StageWork(5.0, 1, 2, 3, 4, 5, 6), NOW, "counters")
TIMES = Reading(StageTimes(Quantiles(1, 1, 1, 1), Quantiles(1, 2, 2, 2)), NOW, "traces")
NO_COUNTERS: Reading[StageWork] = Reading(None, None, "traces")
NO_TIMES: Reading[StageTimes] = Reading(None, None, "counters")


def test_counters_and_traces_of_the_same_work_become_one() -> None:
    counted = Snapshot(NOW, work=(Work("edge", "d", "fp32", COUNTERS, NO_TIMES),))
    traced = Snapshot(NOW, work=(Work("edge", "d", "fp32", NO_COUNTERS, TIMES),))
    for parts in ((counted, traced), (traced, counted)):
        assert merge(NOW, parts).work == (Work("edge", "d", "fp32", COUNTERS, TIMES),)


def test_work_that_only_one_collector_saw_is_kept() -> None:
    counted = Snapshot(NOW, work=(Work("edge", "d", "fp32", COUNTERS, NO_TIMES),))
    traced = Snapshot(NOW, work=(Work("cloud", "d", "fp32", NO_COUNTERS, TIMES),))
    assert {work.pool for work in merge(NOW, (counted, traced)).work} == {"edge", "cloud"}


def test_a_reading_is_stale_once_it_is_older_than_it_may_be() -> None:
    after = timedelta(seconds=15)
    assert COUNTERS.freshness(NOW + after, after) is Freshness.FRESH
    assert COUNTERS.freshness(NOW + after + timedelta(microseconds=1), after) is Freshness.STALE
    assert COUNTERS.fresh(NOW + 2 * after, after) is None


def test_a_reading_of_an_instant_that_is_still_to_come_is_stale_once_a_clock_was_set_back() -> None:
    after = timedelta(seconds=15)
    assert COUNTERS.freshness(NOW - after, after) is Freshness.FRESH, "clocks of two machines differ"
    assert COUNTERS.freshness(NOW - after - timedelta(microseconds=1), after) is Freshness.STALE


def test_a_reading_without_a_value_is_missing_however_new() -> None:
    assert Reading(None, NOW, "s").freshness(NOW, timedelta(days=1)) is Freshness.MISSING
    assert NO_TIMES.freshness(NOW, timedelta(days=1)) is Freshness.MISSING
