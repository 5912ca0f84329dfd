"""Exponential smoothing as its recursion says, and what it is there for."""

import numpy as np
import pytest
from series import poisson

from controller.demand.residuals import last_value
from controller.demand.smoothing import Smoothed


def points(smoothed: Smoothed, counts: list[float], horizon: int = 1) -> list[float]:
    return smoothed(np.array(counts), horizon, 144, np.arange(len(counts))).tolist()


def test_a_level_moves_by_its_rate_and_stands_over_a_gap() -> None:
    assert points(Smoothed(0.5), [10, 20, np.nan, 40]) == [10, 15, 15, 27.5]


def test_a_trend_goes_on_and_fades() -> None:
    assert points(Smoothed(1, 1, 1), [0, 1, 2, 3], horizon=2) == [0, 3, 4, 5]
    assert points(Smoothed(1, 1, 0.5), [0, 1], horizon=2) == [0, 1 + 0.5 + 0.25]


def test_before_the_first_count_there_is_nothing() -> None:
    found = points(Smoothed(0.5), [np.nan, np.nan, 4])
    assert np.isnan(found).tolist() == [True, True, False]


def test_only_the_positions_asked_for_and_those_before_are_read() -> None:
    counts = np.array([7.0, 10.0, 20.0, 1000.0])
    assert Smoothed(0.5)(counts, 1, 144, np.array([1, 2])).tolist() == [10, 15]


def test_of_counts_that_scatter_around_a_mean_a_level_is_nearer_than_the_last() -> None:
    counts, at = poisson(100, 2000), np.arange(2000)
    last, level = (point(counts, 1, 144, at)[:-1] for point in (last_value, Smoothed(0.1)))
    ratio = np.abs(counts[1:] - level).mean() / np.abs(counts[1:] - last).mean()
    assert ratio == pytest.approx(np.sqrt(0.5 * (1 + 0.1 / 1.9)), abs=0.02)
