"""Smoothed levels as their recursion says, and what they are there for."""

import numpy as np
import pytest
from series import poisson

from controller.demand.residuals import last_value
from controller.demand.smoothing import Level


def levels(rate: float, counts: list[float]) -> list[float]:
    return Level(rate)(np.array(counts), 1, 144, np.arange(len(counts))).tolist()


def test_a_level_moves_by_its_rate_in_logarithms_and_stands_over_a_gap() -> None:
    assert levels(0.5, [3, 15, np.nan, 0]) == pytest.approx([3, 7, 7, 8**0.5 - 1])


def test_before_the_first_count_there_is_nothing() -> None:
    assert np.isnan(levels(0.5, [np.nan, np.nan, 4])).tolist() == [True, True, False]


def test_only_the_positions_asked_for_are_read() -> None:
    counts = np.array([7.0, 3.0, 15.0, 1000.0])
    assert Level(0.5)(counts, 1, 144, np.array([1, 2])).tolist() == pytest.approx([3, 7])


def test_of_counts_that_scatter_around_a_mean_a_level_is_nearer_than_the_last() -> None:
    counts, at = poisson(100, 2000), np.arange(2000)
    last, level = (point(counts, 1, 144, at)[:-1] for point in (last_value, Level(0.1)))
    ratio = np.abs(counts[1:] - level).mean() / np.abs(counts[1:] - last).mean()
    assert ratio == pytest.approx(np.sqrt(0.5 * (1 + 0.1 / 1.9)), abs=0.02)


def test_a_burst_moves_a_level_less_than_it_would_a_mean() -> None:
    assert levels(0.1, [100.0, 10_000.0])[-1] < 160
