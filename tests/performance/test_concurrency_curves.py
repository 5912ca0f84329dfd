"""Lines, what their kin tell them, and the curves beyond the end of a sweep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import A40, A100, T4, V100, measured, sweep_over_concurrency

from controller.performance.tables.concurrency import fit_concurrency
from controller.performance.tables.line import fit_line
from controller.performance.tables.random_effects import Belief, Scatter, beliefs
from controller.performance.tables.tail_excess import excess_at, excess_at_end

BEYOND = np.array([20.0, 40.0, 80.0])


@given(base=st.floats(0.0, 100.0), slope=st.floats(0.01, 50.0))
def test_an_exact_line_is_found_whatever_its_asymptote(base: float, slope: float) -> None:
    n = np.arange(1.0, 17.0)
    line = fit_line(n, base + slope * n, 2.5)
    assert line.at(BEYOND) == pytest.approx(base + slope * BEYOND, rel=1e-6)
    assert line.share == pytest.approx(base / (base + slope * 16), abs=1e-6)


def test_one_mistyped_measurement_moves_a_line_little() -> None:
    n = np.arange(1.0, 17.0)
    latency_ms = 10 + 2 * n
    latency_ms[9] *= 10
    assert fit_line(n, latency_ms, 2.5).at(BEYOND) == pytest.approx(10 + 2 * BEYOND, rel=0.03)


@given(st.lists(st.floats(1.0, 1000.0), min_size=2, max_size=16))
def test_a_line_never_falls_and_stays_above_zero_beyond_its_end(latencies_ms: list[float]) -> None:
    n = np.arange(1.0, len(latencies_ms) + 1)
    line = fit_line(n, np.array(latencies_ms), 2.5)
    assert line.slope_ms >= 0
    assert np.all(line.at(n[-1] + BEYOND) > 0)
    assert line.share_variance >= 0


def test_a_noisy_sweep_leans_on_what_is_believed_and_a_smooth_one_does_not() -> None:
    n = np.arange(1.0, 9.0)
    smooth = 10 + 2 * n
    noisy = smooth * np.array([1.2, 0.8, 1.3, 0.8, 1.2, 0.75, 1.25, 0.8])
    certain = Belief(mean=0.0, variance=0.1**2)
    shares = [fit_line(n, latency, 2.5, certain).share for latency in (smooth, noisy)]
    alone = [fit_line(n, latency, 2.5).share for latency in (smooth, noisy)]
    assert shares[0] == pytest.approx(alone[0], abs=0.02)
    assert abs(shares[1]) < 0.3 * abs(alone[1])


def test_a_member_hears_the_centre_of_the_others_and_not_its_own_value() -> None:
    prior = Belief(0.5, 1e6)
    heard = beliefs([0.1, 0.2, 0.9], [1e-6, 1e-6, 1e-6], prior, Scatter(0.1, 1e9))
    assert [item.mean for item in heard] == pytest.approx([0.55, 0.5, 0.15], abs=1e-3)
    # The centre of two, each off by 0.1, is off by 0.1 / sqrt(2); the member itself stands off by 0.1 again.
    assert heard[0].variance == pytest.approx(0.1**2 / 2 + 0.1**2, rel=1e-3)


def test_one_alone_hears_what_is_held_true_of_all() -> None:
    (heard,) = beliefs([0.7], [0.01], Belief(0.5, 0.04), Scatter(0.1, 2))
    assert (heard.mean, heard.variance) == pytest.approx((0.5, 0.05))


def test_values_that_stand_apart_are_drawn_less() -> None:
    close = beliefs([0.30, 0.31, 0.29], [1e-4] * 3, Belief(0.5, 1), Scatter(0.05, 2))
    apart = beliefs([0.05, 0.50, 0.95], [1e-4] * 3, Belief(0.5, 1), Scatter(0.05, 2))
    assert apart[0].variance > 10 * close[0].variance


def test_a_saturated_and_an_idle_server_are_both_continued() -> None:
    saturated = sweep_over_concurrency(lambda n: 3.0 * n, range(2, 17, 2), model="busy")
    idle = sweep_over_concurrency(lambda _: 7.0, range(2, 17, 2), model="idle")
    for_busy, for_idle = fit_concurrency([saturated, idle])
    assert for_busy.mean_ms(BEYOND) == pytest.approx(3 * BEYOND, rel=0.01)
    assert for_idle.mean_ms(BEYOND) == pytest.approx([7, 7, 7], rel=0.02)


def test_kin_mend_a_sweep_that_alone_goes_astray() -> None:
    def wobbling(n: int) -> float:
        return (4 + 2 * n) * (1.25 if n in {4, 6} else 1.0)

    kin = [sweep_over_concurrency(lambda n: 8 + 4 * n, range(1, 9), device=device) for device in (A40, T4)]
    noisy = sweep_over_concurrency(wobbling, range(1, 9), device=V100)
    truth = 4 + 2 * BEYOND
    alone, *_ = fit_concurrency([noisy])
    helped, *_ = fit_concurrency([noisy, *kin])
    miss = [np.abs(curve.mean_ms(BEYOND) / truth - 1).mean() for curve in (alone, helped)]
    assert miss[1] < miss[0]


def test_the_order_of_the_sweeps_changes_nothing() -> None:
    sweeps = [
        sweep_over_concurrency(lambda n, a=a: a + 2 * n + n % 3, range(1, 9), device=device)
        for a, device in ((1, A100), (5, V100), (9, T4))
    ]
    forward, backward = fit_concurrency(sweeps), fit_concurrency(sweeps[::-1])[::-1]
    for one, other in zip(forward, backward, strict=True):
        assert one.p99_ms(BEYOND) == pytest.approx(other.p99_ms(BEYOND))


def test_the_excess_of_the_p99_decays_with_the_stated_exponent() -> None:
    n = np.array([4.0, 8.0, 16.0])
    tail = 10 * (1 + 0.4 * (n / 16) ** -0.5)
    excess = excess_at_end(n, np.full(3, 10.0), tail, 0.5)
    assert excess == pytest.approx(0.4)
    assert excess_at(excess, np.array([64.0]), 16.0, 0.5) == pytest.approx([0.2])


def test_the_p99_stands_the_excess_above_the_mean_and_never_below_it() -> None:
    rows = tuple(measured(10.0 * n, tail_ms=13.0 * n, concurrency=n) for n in range(1, 9))
    (kept,) = fit_concurrency([rows], decay=0.0)
    assert kept.p99_ms(BEYOND) == pytest.approx(1.3 * kept.mean_ms(BEYOND))
    damaged = tuple(measured(10.0 * n, tail_ms=9.0 * n, concurrency=n) for n in range(1, 9))
    (above,) = fit_concurrency([damaged])
    assert np.all(above.p99_ms(BEYOND) >= above.mean_ms(BEYOND))
