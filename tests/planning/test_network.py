"""Round trips and what their scatter makes of a path."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gamma

from controller.performance.pipeline import chains, leg, path_latencies_us
from controller.performance.surface import LEVELS
from controller.planning.network import reachable, round_trip_us
from tests.planning.world import POLICY, RECEIPT_OCR, link


@given(st.integers(1, 500_000), st.floats(0.01, 0.5))
def test_round_trips_have_the_mean_and_the_scatter_of_their_link(mean_us: int, part: float) -> None:
    found_us = round_trip_us(mean_us, deviation := max(1, round(part * mean_us)))
    assert found_us.mean() == pytest.approx(mean_us, rel=0.01)
    assert found_us.std() == pytest.approx(deviation, rel=0.03)


def test_round_trips_are_those_of_a_gamma_distribution() -> None:
    levels = (np.arange(LEVELS) + 0.5) / LEVELS
    exact_us = gamma.ppf(levels, 4.0, scale=20_000 / 4.0)
    assert round_trip_us(20_000, 10_000)[50:] == pytest.approx(exact_us[50:], rel=0.01)


def test_a_link_without_jitter_takes_its_round_trip_each_time() -> None:
    assert set(round_trip_us(20_000, 0)) == {20_000.0}


@pytest.mark.parametrize("deviation_us", [1, 100, 5_000, 20_000, 200_000])
def test_no_round_trip_is_negative_and_higher_levels_take_longer(deviation_us: int) -> None:
    found_us = round_trip_us(20_000, deviation_us)
    assert found_us[0] >= 0
    assert (np.diff(found_us) >= 0).all()


def test_scatter_of_the_network_does_not_add_up_along_a_chain() -> None:
    """The p99 of a sum of three independent ways is below the sum of three p99s, and above the sum of the means."""
    three = tuple(
        replace(RECEIPT_OCR.stages[0], name=name, after=after)
        for name, after in (("a", ()), ("b", ("a",)), ("c", ("b",)))
    )
    way_us = round_trip_us(20_000, 5_000)
    legs = [leg(i, np.zeros(LEVELS), way_us) for i in range(3)]
    (found,) = path_latencies_us(chains(three), [samples[None] for samples in legs], np.zeros((1, 3), np.int64))
    p99_us = dict(found)[9900]
    expected = gamma.ppf(0.99, 48.0, scale=60_000 / 48.0)
    assert p99_us == pytest.approx(expected, rel=0.02)
    assert 60_000 < p99_us < 3 * way_us[989]


def test_a_site_is_reachable_over_a_link_in_either_direction() -> None:
    joined = replace(POLICY, links=(link("edge-b", "edge-a", 8_000),))
    assert reachable(joined, "edge-a", "edge-b")
    assert reachable(joined, "edge-a", "edge-a")
    assert not reachable(joined, "edge-a", "nowhere")
