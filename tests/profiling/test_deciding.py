"""Which size comes next: few of them, and yet lines between them tell the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.profiling.deciding import (
    CheckLoad,
    Goal,
    MeasureBatch,
    MeasureInstances,
    line_error,
    next_batch,
    next_step,
)
from controller.profiling.measured import BatchPoint, CheckPoint, InstancePoint, Progress, Run
from controller.profiling.sampling import FEWEST, enough, relative_error, spread, suffering

GOAL = Goal(max_batch=64, resizable=True)


def sizes_for(curve: "dict[int, float]", goal: Goal) -> dict[int, float]:
    """What is measured, when each measurement gives the curve exactly."""
    known: dict[int, float] = {}
    while (size := next_batch(known, goal)) is not None:
        assert size not in known
        known[size] = curve[size]
    return known


def point(batch: int, mean_us: float) -> BatchPoint:
    return BatchPoint(batch, 100, mean_us, 0.01, 0.02, mean_us + 300, mean_us + 900)


def test_a_straight_curve_needs_its_ends_and_its_middle() -> None:
    curve = {batch: 5_000 + 1_250.0 * batch for batch in range(1, 65)}
    assert sorted(sizes_for(curve, GOAL)) == [1, 8, 64]


def test_a_model_that_does_not_batch_needs_one_size() -> None:
    assert sorted(sizes_for({1: 5_000.0}, Goal(max_batch=1, resizable=True))) == [1]


def test_a_step_in_the_curve_is_looked_at_from_both_sides() -> None:
    curve = {batch: 4_000.0 if batch <= 16 else 9_000.0 for batch in range(1, 65)}
    sizes = sizes_for(curve, GOAL)
    assert {16, 17} <= set(sizes)
    assert len(sizes) < 16


@given(st.floats(0, 20_000), st.floats(10, 2_000), st.floats(0.3, 2.0), st.integers(1, 128))
def test_every_size_of_a_smooth_curve_is_within_the_error_of_the_lines(
    base_us: float, each_us: float, power: float, max_batch: int
) -> None:
    curve = {batch: base_us + each_us * batch**power for batch in range(1, max_batch + 1)}
    known = sizes_for(curve, Goal(max_batch, resizable=True, latency_limit_us=1e12))
    lines = np.interp(list(curve), sorted(known), [known[size] for size in sorted(known)])
    assert np.max(np.abs(lines / list(curve.values()) - 1)) <= GOAL.error


def test_large_batches_are_approached_by_doubling_when_they_might_take_too_long() -> None:
    goal = Goal(max_batch=64, resizable=True, latency_limit_us=100_000)
    assert next_batch({1: 10_000.0}, goal) == 2
    assert next_batch({1: 10_000.0, 2: 10_500.0}, goal) == 4
    assert next_batch({1: 10_000.0, 16: 12_000.0}, goal) == 64


def test_the_error_of_a_line_is_relative_to_what_was_measured() -> None:
    assert line_error({1: 10.0, 2: 25.0, 3: 30.0}, (1, 2, 3), 2) == pytest.approx(-0.2)


def test_instances_are_added_until_they_bring_nothing() -> None:
    known = Progress(batches=(point(1, 9_000),))
    goal = Goal(max_batch=1, resizable=True)
    assert next_step(known, goal) == MeasureInstances(1)
    one, two = InstancePoint(1, 1, 100, 2_000_000), InstancePoint(2, 1, 190, 2_000_000)
    assert next_step(Progress(known.batches, (one, two)), goal) == MeasureInstances(4)
    full = InstancePoint(2, 1, 110, 2_000_000)
    assert next_step(Progress(known.batches, (one, full)), goal) == CheckLoad(0.5)


def test_sizes_come_first_and_checks_last_and_then_nothing() -> None:
    goal = Goal(max_batch=1, resizable=False)
    assert next_step(Progress(), goal) == MeasureBatch(1)
    known = (point(1, 9_000),)
    times = (1.0, 2.0, 3.0)
    checks = tuple(CheckPoint(part, 50, times, times, 0) for part in (0.5, 0.8))
    assert next_step(Progress(known, checks=checks[:1]), goal) == CheckLoad(0.8)
    assert next_step(Progress(known, checks=checks), goal) is None


def test_a_mean_is_sure_once_its_interval_is_within_the_error() -> None:
    steady = [1000.0, 1010.0] * 20
    assert relative_error(steady) == pytest.approx(1.96 * 5.0637 / 40**0.5 / 1005, rel=1e-3)
    assert enough(steady, 0.05)
    assert not enough(steady[: FEWEST - 1], 0.05)
    assert not enough([100.0, 3000.0] * 20, 0.05)


def test_the_spread_is_that_of_a_lognormal_and_outliers_do_not_move_it() -> None:
    values = np.random.default_rng(1).lognormal(0, 0.4, 20_000)
    values[:100] *= 50
    assert spread(values.tolist()) == pytest.approx((np.exp(0.4**2) - 1) ** 0.5, rel=0.05)


def test_a_server_suffers_from_errors_long_waits_and_growing_ones() -> None:
    fine = tuple(float(value) for value in range(1_000, 1_200))
    assert suffering(Run(fine, 1, 1.0), 10_000) is None
    assert suffering(Run(fine, 20, 1.0), 10_000) == "20 of 220 requests failed"
    assert suffering(Run(fine, 0, 1.0), 1_100) == "the p99 was 1 ms, above the limit of 1 ms"
    growing = tuple(1_000.0 + 50 * number for number in range(200))
    assert suffering(Run(growing, 0, 1.0), 1e6) is None
    assert suffering(Run(growing, 0, 1.0), 1e6, open_loop=True) == "requests waited longer and longer"
