"""What is said of a service that was never seen, or hardly."""

import numpy as np
import pytest

from controller.demand.history import History
from controller.demand.newcomer import Newcomer

LEVELS = (0.5, 0.9, 0.99)


def test_without_history_the_documents_are_believed_with_room() -> None:
    median, high, highest = Newcomer(100).forecast(History.of(60), LEVELS)
    assert 70 < median < 100
    assert 150 < high < highest < 300


def test_without_history_and_documents_hardly_anything_is_expected() -> None:
    found = Newcomer().forecast(History.of(60), LEVELS)
    assert found[0] < 0.5
    assert 1 < found[2] < 10


def test_what_was_seen_soon_outweighs_the_documents() -> None:
    median = Newcomer(100).forecast(History.of(60, [1000.0] * 12), LEVELS)[0]
    assert median == pytest.approx(1000, rel=0.1)


def test_missing_intervals_are_not_taken_for_zeros() -> None:
    seen = Newcomer(100).forecast(History.of(60, [80.0, 120.0]), LEVELS)
    gapped = Newcomer(100).forecast(History.of(60, [80.0, None, 120.0, None]), LEVELS)
    assert np.array_equal(seen, gapped)


def test_spread_counts_leave_more_room_than_even_ones() -> None:
    even = Newcomer().forecast(History.of(60, [100.0] * 12), LEVELS)
    spread = Newcomer().forecast(History.of(60, [0.0, 200.0] * 6), LEVELS)
    assert spread[2] - spread[0] > 1.5 * (even[2] - even[0])
