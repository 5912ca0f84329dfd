"""Swings told from arrivals, and what they make of predictions."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from collectors.dispersion import burstiness
from collectors.snapshot import Arrivals, Reading, Snapshot
from controller.decision import KnownBurst
from controller.performance.arrivals import STEADY, Burst, bursty_us, poisson_us
from controller.performance.bursts import burst_of, fitted, learn_bursts
from controller.performance.serving import Batching, Load, ServiceTimes, capacity_rps, latencies_us
from controller.performance.surface import quantiles, shape_of
from tests.planning.world import OCR, PARIS, POLICY, START


@pytest.mark.parametrize("sojourn_us", [250_000, 1_000_000])
@pytest.mark.parametrize("depth", [0.5, 0.8])
def test_the_swing_of_a_process_is_found_again(depth: float, sojourn_us: float) -> None:
    arrive_us = bursty_us(100.0, Burst(depth, sojourn_us), 60_000, seed=5)
    found = fitted(burstiness(arrive_us / 1e6))
    assert found.depth == pytest.approx(depth, rel=0.15)
    assert found.sojourn_us == pytest.approx(sojourn_us, rel=0.5)


@pytest.mark.parametrize("seed", range(20))
def test_poisson_arrivals_are_not_taken_for_bursts(seed: int) -> None:
    assert fitted(burstiness(poisson_us(50.0, 4000, seed) / 1e6)) == STEADY


def test_a_rate_that_rises_is_no_burst() -> None:
    rising_us = np.sqrt(poisson_us(100.0, 4000, 2) / 40e6) * 40e6
    assert fitted(burstiness(rising_us / 1e6)) == STEADY


def test_arrivals_at_one_instant_tell_nothing() -> None:
    assert fitted(burstiness([1.0] * 600)) == STEADY


def seen(arrive_us: np.ndarray, turns: int, known: tuple[KnownBurst, ...] = ()) -> tuple[KnownBurst, ...]:
    reading = Reading(burstiness(arrive_us / 1e6), START, "test")
    snapshot = Snapshot(START, arrivals=(Arrivals(OCR, PARIS, reading),))
    for _ in range(turns):
        known = learn_bursts(POLICY, snapshot, known, START)
    return known


def test_what_plans_use_follows_in_a_few_turns_and_rests_then() -> None:
    arrive_us = bursty_us(100.0, Burst(0.8, 500_000), 4000, seed=3)
    (after_one,) = seen(arrive_us, 1)
    (after_many,) = known = seen(arrive_us, 30)
    assert after_one.used_depth_permille < after_many.used_depth_permille
    assert burst_of(known, OCR, PARIS).depth in {0.6, 0.8, 1.0}
    again = seen(arrive_us, 1, known)
    assert again[0].used_depth_permille == after_many.used_depth_permille
    assert again[0].used_sojourn_us == after_many.used_sojourn_us


def test_nothing_is_learnt_from_what_is_stale() -> None:
    arrive_us = bursty_us(100.0, Burst(0.8, 500_000), 4000, seed=3)
    reading = Reading(burstiness(arrive_us / 1e6), START, "test")
    snapshot = Snapshot(START, arrivals=(Arrivals(OCR, PARIS, reading),))
    assert learn_bursts(POLICY, snapshot, (), START + timedelta(days=1)) == ()
    assert burst_of((), OCR, PARIS) == STEADY


def test_a_surface_of_bursts_is_what_a_simulation_of_bursts_gives() -> None:
    batch_us = (8_000, 12_000, 16_000, 20_000)
    burst = Burst(0.8, 16 * 20_000.0)
    service, batching = ServiceTimes((0.0, *map(float, batch_us))), Batching(4)
    load = Load(0.5 * capacity_rps(service, batching), burst)
    simulated = np.percentile(latencies_us(service, batching, load, 400_000, seed=9), (50, 95, 99))
    looked_up = 20_000 * np.quantile(quantiles(shape_of(batch_us, 1, 1, burst=burst), 0.5), (0.5, 0.95, 0.99))
    assert looked_up == pytest.approx(simulated, rel=0.08)
    steady = 20_000 * np.quantile(quantiles(shape_of(batch_us, 1, 1), 0.5), 0.99)
    assert looked_up[-1] > 1.3 * steady


def test_longer_bursts_than_are_simulated_have_the_surface_of_the_longest() -> None:
    shape = shape_of((1_000,), 1, 1, burst=Burst(0.5, 1e9))
    assert shape == replace(shape, sojourn=8)


def test_swings_that_no_two_requests_see_are_none_and_cost_nothing() -> None:
    """A request in ten years, beside swings of a twentieth of a second: 10^11 of them."""
    slow_us = bursty_us(3e-9, Burst(0.8, 50_000.0), 2_000)
    assert slow_us.tolist() == poisson_us(3e-9, 2_000).tolist()
