"""Counts by interval: gaps stay gaps, and nothing that is no count gets in."""

import math

import numpy as np
import pytest

from controller.demand.history import LEARNT_FROM, MOST_INTERVALS, BadCountError, History


def test_a_missing_interval_is_not_zero() -> None:
    history = History.of(60, [5, None, 0])
    assert np.isnan(history.counts).tolist() == [False, True, False]
    assert history.last == 0
    assert history.then(None).last is None


@pytest.mark.parametrize("count", [math.nan, math.inf, -1])
def test_what_is_no_count_is_refused(count: float) -> None:
    with pytest.raises(BadCountError, match="give a number from 0"):
        History.of(60, [1, count])
    with pytest.raises(BadCountError, match="give a number from 0"):
        History.of(60).then(count)


@pytest.mark.parametrize("interval_s", [0, -60, 7])
def test_an_interval_that_does_not_divide_a_day_is_refused(interval_s: int) -> None:
    with pytest.raises(BadCountError, match="divide a day"):
        History.of(interval_s)


def test_a_history_is_bounded_and_remembers_its_place_in_time() -> None:
    history = History.of(60, range(MOST_INTERVALS), first_index=1000).then(-0.0).then(3)
    assert len(history.counts) == MOST_INTERVALS
    assert history.first_index == 1002
    assert history.end_index == 1000 + MOST_INTERVALS + 2
    assert history.seen == MOST_INTERVALS + 2


def test_what_a_fit_reads_is_the_same_a_day_later() -> None:
    now = History.of(60, range(MOST_INTERVALS))
    later = now
    for _ in range(now.day):
        later = later.then(1)
    before, after = now.when_seen(now.seen), later.when_seen(now.seen)
    assert len(before.counts) == LEARNT_FROM
    assert (before.first_index, before.end_index) == (after.first_index, after.end_index)
    assert np.array_equal(before.counts, after.counts)


def test_histories_are_not_changed_in_place() -> None:
    history = History.of(60, [1, 2])
    history.then(3)
    assert history.counts.tolist() == [1, 2]
