"""The trace's shape and the arrivals drawn from it."""

import numpy as np
import pytest

from controller.embedded.arrivals import arrivals, rate_rps, trace_shape


def test_the_shape_has_mean_one_and_ten_minutes() -> None:
    shape = trace_shape()
    assert len(shape) == 600
    assert shape.mean() == pytest.approx(1.0)
    assert shape.max() > 4


def test_the_rate_follows_the_shape_as_deep_as_asked_and_repeats() -> None:
    shape = np.array([0.5, 1.5])
    assert [rate_rps(shape, at_s, 10.0, 1.0) for at_s in (0.0, 1.9, 2.0)] == [5.0, 15.0, 5.0]
    assert [rate_rps(shape, at_s, 10.0, 0.5) for at_s in (0.0, 1.0)] == [7.5, 12.5]
    assert [rate_rps(shape, at_s, 10.0, 0.0) for at_s in (0.0, 1.0)] == [10.0, 10.0]


def test_arrivals_are_sorted_inside_their_window_and_repeat_with_the_seed() -> None:
    times = arrivals(np.random.default_rng(7), 3.0, 50.0, 40.0)
    assert times.tolist() == arrivals(np.random.default_rng(7), 3.0, 50.0, 40.0).tolist()
    assert np.all(np.diff(times) >= 0)
    assert times[0] >= 3.0
    assert times[-1] < 53.0
    # 2000 expected, with a standard deviation of 45.
    assert 1800 < len(times) < 2200


def test_no_rate_no_arrivals() -> None:
    assert len(arrivals(np.random.default_rng(1), 0.0, 10.0, 0.0)) == 0
