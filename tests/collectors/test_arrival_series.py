"""Which arrivals are kept, and when they tell how bursty a demand is."""

from datetime import timedelta

import numpy as np
import pytest

from collectors.arrivals import FEWEST, KEPT, MOST_KEYS, ArrivalSeries
from collectors.instants import instant, since_epoch_us

START_US = since_epoch_us(instant(1_790_000_000_000_000))
STEP_US = 10_000


def told(count: int, *, adjusted_count: float = 1.0, order: int = 1) -> ArrivalSeries[str]:
    series = ArrivalSeries[str]()
    for number in range(count)[::order]:
        series.add("voice", START_US + number * STEP_US, adjusted_count)
    return series


def test_even_arrivals_are_told_as_even() -> None:
    now = instant(START_US + FEWEST * STEP_US)
    reading = told(FEWEST).readings(now, "test")["voice"]
    assert reading.at == instant(START_US + (FEWEST - 1) * STEP_US)
    assert reading.value is not None
    assert reading.value.rate_rps == pytest.approx(100)
    assert reading.value.gap_variation == pytest.approx(0, abs=1e-9)


def test_the_order_in_which_arrivals_are_told_does_not_matter() -> None:
    now = instant(START_US + FEWEST * STEP_US)
    assert told(FEWEST).readings(now, "test") == told(FEWEST, order=-1).readings(now, "test")


def test_too_few_arrivals_tell_nothing() -> None:
    assert told(FEWEST - 1).readings(instant(START_US + 10**9), "test") == {}


def test_only_the_newest_arrivals_count() -> None:
    series = told(2 * KEPT)
    reading = series.readings(instant(START_US + 2 * KEPT * STEP_US), "test")["voice"]
    assert reading.value is not None
    assert reading.value.span_s == pytest.approx(KEPT * STEP_US / 2e6, rel=0.01)


def test_a_rate_that_changes_once_is_told_from_the_half_in_which_it_does_not() -> None:
    series = ArrivalSeries[str]()
    slow = np.cumsum(np.full(FEWEST, 20_000))
    fast = slow[-1] + np.cumsum(np.full(3 * FEWEST, 2_000))
    for at_us in (*slow, *fast):
        series.add("voice", START_US + int(at_us), 1.0)
    reading = series.readings(instant(START_US + 10**9), "test")["voice"]
    assert reading.value is not None
    assert reading.value.rate_rps == pytest.approx(50, rel=0.02)
    assert max(index for _, index in reading.value.dispersion if index is not None) < 1


def test_a_sample_of_the_arrivals_tells_nothing() -> None:
    assert told(FEWEST, adjusted_count=4.0).readings(instant(START_US + 10**9), "test") == {}


def test_arrivals_after_now_do_not_count_yet() -> None:
    half = instant(START_US + FEWEST // 2 * STEP_US)
    assert told(FEWEST).readings(half, "test") == {}
    assert told(2 * FEWEST).readings(half + timedelta(seconds=6), "test")["voice"].at == half + timedelta(seconds=6)


def test_no_more_keys_are_kept_than_there_may_be() -> None:
    series = ArrivalSeries[int]()
    for key in range(MOST_KEYS + 5):
        for number in np.arange(FEWEST):
            series.add(key, START_US + int(number), 1.0)
    assert len(series.readings(instant(START_US + 10**9), "test")) == MOST_KEYS
