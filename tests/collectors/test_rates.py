from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collectors.rates import CounterWindow, deltas

START = datetime(2026, 11, 24, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def window(*samples: tuple[float, dict[str, int]]) -> CounterWindow[str]:
    counters = CounterWindow[str](timedelta(seconds=10))
    for second, totals in samples:
        counters.add(at(second), totals)
    return counters


def test_a_counter_gained_what_it_rose_by() -> None:
    assert deltas({"a": 3}, {"a": 10}) == {"a": 7}


def test_a_counter_that_stood_still_gained_nothing() -> None:
    assert deltas({"a": 3}, {"a": 3}) == {"a": 0}


def test_a_counter_that_fell_was_reset_and_gained_what_it_shows() -> None:
    assert deltas({"a": 100}, {"a": 4}) == {"a": 4}


def test_a_new_counter_began_at_zero() -> None:
    assert deltas({}, {"a": 4}) == {"a": 4}


def test_a_counter_that_is_gone_has_no_increase() -> None:
    assert deltas({"a": 4}, {}) == {}


def test_one_sample_tells_no_increase() -> None:
    assert window((0, {"a": 5})).increase() is None


def test_the_increase_covers_the_window_back_to_the_sample_before_it() -> None:
    increase = window((0, {"a": 0}), (5, {"a": 10}), (10, {"a": 30}), (15, {"a": 60}), (20, {"a": 100})).increase()
    assert increase is not None
    assert increase.gained == {"a": 70}
    assert increase.window_s == 10.0
    assert increase.end == at(20)


def test_a_restart_within_the_window_loses_nothing_that_was_seen() -> None:
    increase = window((0, {"a": 50}), (5, {"a": 60}), (10, {"a": 7})).increase()
    assert increase is not None
    assert increase.gained == {"a": 17}


def test_requests_after_a_long_gap_are_not_spread_over_it() -> None:
    counters = window((0, {"a": 0}), (5, {"a": 10}), (65, {"a": 20}))
    assert counters.increase() is None
    counters.add(at(70), {"a": 45})
    increase = counters.increase()
    assert increase is not None
    assert (increase.gained, increase.window_s) == ({"a": 25}, 5.0)


def test_a_gap_as_long_as_the_window_is_still_measured() -> None:
    increase = window((0, {"a": 0}), (10, {"a": 20})).increase()
    assert increase is not None
    assert (increase.gained, increase.window_s) == ({"a": 20}, 10.0)


def test_a_second_sample_of_the_same_instant_is_ignored() -> None:
    counters = window((0, {"a": 0}), (5, {"a": 10}), (5, {"a": 90}))
    increase = counters.increase()
    assert increase is not None
    assert increase.gained == {"a": 10}


def test_counting_begins_anew_once_the_clock_was_set_back() -> None:
    counters = window((1_000, {"a": 0}), (1_005, {"a": 10}), (3, {"a": 80}))
    assert counters.increase() is None, "what came before is of another time"
    counters.add(at(8), {"a": 95})
    increase = counters.increase()
    assert increase is not None
    assert (increase.gained, increase.window_s) == ({"a": 15}, 5.0)


def test_a_counter_that_the_newest_sample_lacks_is_not_in_the_increase() -> None:
    increase = window((0, {"a": 0, "b": 0}), (5, {"a": 1, "b": 2}), (8, {"b": 5})).increase()
    assert increase is not None
    assert increase.gained == {"b": 5}


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 10**15)), max_size=12))
def test_no_increase_is_ever_negative(samples: list[dict[str, int]]) -> None:
    counters = CounterWindow[str](timedelta(seconds=10))
    for second, totals in enumerate(samples):
        counters.add(at(second), totals)
        increase = counters.increase()
        assert increase is None or (min(increase.gained.values(), default=0) >= 0 and increase.window_s > 0)


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=10))
def test_without_resets_the_increases_add_up_to_the_rise(gains: list[int]) -> None:
    counters = CounterWindow[str](timedelta(seconds=100))
    total = 0
    for second, gain in enumerate(gains):
        total += gain
        counters.add(at(second), {"a": total})
    increase = counters.increase()
    assert increase is not None
    assert increase.gained["a"] == total - gains[0]
