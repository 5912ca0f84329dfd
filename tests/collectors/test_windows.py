import math
import random
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collectors.instants import since_epoch_us
from collectors.snapshot import Quantiles
from collectors.windows import MAX_US, WAITING, QuantileWindow

START = datetime(2026, 11, 24, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def us(second: float) -> int:
    return since_epoch_us(at(second))


def test_an_empty_window_has_no_quantiles() -> None:
    window = QuantileWindow(timedelta(seconds=30))
    assert window.quantiles(at(0)) is None
    assert window.newest() is None


def test_the_quantiles_of_few_observations_are_exact() -> None:
    window = QuantileWindow(timedelta(seconds=30))
    for value in range(1, 101):
        window.add(us(1), value * 1000)
    quantiles = window.quantiles(at(2))
    assert quantiles is not None
    assert (quantiles.count, quantiles.p50_us, quantiles.p95_us, quantiles.p99_us) == (100, 50_000, 95_000, 99_000)


def test_observations_are_forgotten_part_by_part() -> None:
    window = QuantileWindow(timedelta(seconds=30), parts=6)
    window.add(us(0), 1000)
    window.add(us(29), 2000)
    counts = [quantiles.count if (quantiles := window.quantiles(at(now))) else None for now in (29.9, 30, 54.9, 55)]
    assert counts == [2, 1, 1, None]


def test_observations_later_than_now_do_not_count_yet() -> None:
    window = QuantileWindow(timedelta(seconds=30))
    window.add(us(10), 1000)
    assert window.quantiles(at(4)) is None


def test_observations_of_a_clock_that_ran_ahead_are_forgotten_once_it_is_right() -> None:
    window = QuantileWindow(timedelta(seconds=30))
    window.add(us(3_000), 1000)
    assert window.quantiles(at(4)) is None
    assert window.newest() is None
    window.add(us(4), 2000)
    assert window.newest() == at(4)
    assert window.quantiles(at(3_000)) is None


def test_observations_that_come_late_count_in_their_own_part() -> None:
    window = QuantileWindow(timedelta(seconds=30), parts=6)
    window.add(us(29), 2000)
    window.add(us(1), 1000)
    assert window.newest() == at(29)
    quantiles = window.quantiles(at(30))
    assert quantiles is not None
    assert quantiles.count == 1


def test_values_are_clipped_to_what_the_sketch_holds() -> None:
    window = QuantileWindow(timedelta(seconds=30))
    window.add(us(0), -5)
    window.add(us(0), 10**15)
    quantiles = window.quantiles(at(0))
    assert quantiles is not None
    assert (quantiles.p50_us, quantiles.p99_us) == (0, MAX_US)


def test_merged_parts_are_accurate_in_rank_where_objectives_lie() -> None:
    rng = random.Random(7)  # noqa: S311 - observations, not secrets
    values = [int(rng.lognormvariate(10, 1)) for _ in range(30_000)]
    window = QuantileWindow(timedelta(seconds=30), parts=6)
    for index, value in enumerate(values):
        window.add(us(index / 1000), value)
    quantiles = window.quantiles(at(29.999))
    assert quantiles is not None
    assert quantiles.count == 30_000
    values.sort()
    for estimate, rank, error in (
        (quantiles.p50_us, 0.50, 0.01),
        (quantiles.p95_us, 0.95, 0.001),
        (quantiles.p99_us, 0.99, 0.0002),
    ):
        lowest, highest = bisect_left(values, estimate) / 30_000, bisect_right(values, estimate) / 30_000
        assert lowest - error <= rank <= highest + error


def test_an_observation_stands_for_as_many_as_its_adjusted_count() -> None:
    window = QuantileWindow(timedelta(seconds=30))
    for value in range(1, 101):
        window.add(us(1), value * 1000, adjusted_count=10.0)
    assert window.quantiles(at(2)) == Quantiles(1000, 50_000, 95_000, 99_000, sampled=100)


def test_observations_of_different_adjusted_counts_are_weighed() -> None:
    """90 fast ones were all seen; of 910 slow ones 1 in 91 was."""
    window = QuantileWindow(timedelta(seconds=30))
    for _ in range(90):
        window.add(us(1), 1000)
    for _ in range(10):
        window.add(us(1), 5000, adjusted_count=91.0)
    quantiles = window.quantiles(at(2))
    assert quantiles == Quantiles(1000, 5000, 5000, 5000, sampled=100)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from([1, 2, 7, 64])), min_size=1, max_size=300))
def test_weighing_is_the_same_as_repeating(observations: list[tuple[int, int]]) -> None:
    weighed, repeated = QuantileWindow(timedelta(seconds=30)), []
    for value, count in observations:
        weighed.add(us(1), value, adjusted_count=float(count))
        repeated += [value] * count
    quantiles = weighed.quantiles(at(2))
    assert quantiles is not None
    repeated.sort()
    expected = [repeated[math.ceil(rank * len(repeated)) - 1] for rank in (0.50, 0.95, 0.99)]
    assert [quantiles.p50_us, quantiles.p95_us, quantiles.p99_us] == expected
    assert quantiles.count == len(repeated)


def test_values_too_large_for_any_integer_of_the_machine_are_clipped() -> None:
    window = QuantileWindow(timedelta(seconds=30))
    for value in (10**30, *[1] * WAITING):
        window.add(us(0), value)
    quantiles = window.quantiles(at(0))
    assert quantiles is not None
    assert (quantiles.count, quantiles.p50_us) == (WAITING + 1, 1)
