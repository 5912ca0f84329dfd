"""The estimates against processes whose values are known: regular, Poisson, and a two-state MMPP."""

import math

import numpy as np
import pytest

from collectors.dispersion import burstiness

RATES = (40.0, 5.0)
SWITCHING = (0.5, 0.25)


def mmpp(seconds: float, seed: int) -> list[float]:
    """Arrivals of a Poisson process whose rate switches between RATES, leaving state i at rate SWITCHING[i]."""
    rng = np.random.default_rng(seed)
    now, state, instants = 0.0, 0, []
    while now < seconds:
        stay = rng.exponential(1 / SWITCHING[state])
        instants.append(now + np.sort(rng.uniform(0, stay, rng.poisson(RATES[state] * stay))))
        now, state = now + stay, 1 - state
    return np.concatenate(instants).tolist()


def mmpp_idc(window_s: float) -> float:
    """Heffes and Lucantoni (1986): the variance of the counts over their mean."""
    (a, b), (leave_a, leave_b) = RATES, SWITCHING
    switching = leave_a + leave_b
    grows = 1 - (1 - math.exp(-switching * window_s)) / (switching * window_s)
    return 1 + 2 * leave_a * leave_b * (a - b) ** 2 / (switching**2 * (a * leave_b + b * leave_a)) * grows


def mmpp_gaps() -> tuple[float, float]:
    """c2 and r1 from the matrices D0, D1 of the process and the states that arrivals find."""
    arrive = np.diag(RATES)
    stay = np.array([[-SWITCHING[0], SWITCHING[0]], [SWITCHING[1], -SWITCHING[1]]]) - arrive
    time = np.linalg.inv(-stay)
    onward = time @ arrive
    found = np.array([onward[1, 0], onward[0, 1]]) / (onward[1, 0] + onward[0, 1])
    mean = (found @ time).sum()
    variance = 2 * (found @ time @ time).sum() - mean**2
    return variance / mean**2, ((found @ time @ onward @ time).sum() - mean**2) / variance


def test_regular_arrivals_do_not_vary_at_all() -> None:
    found = burstiness([i * 0.25 for i in range(4000)], (1.0, 10.0))
    assert found.rate_rps == pytest.approx(4.0)
    assert [value for _, value in found.dispersion] == [pytest.approx(0.0, abs=0.01)] * 2
    assert found.gap_variation == pytest.approx(0.0, abs=1e-9)
    assert found.gap_correlation is None


def test_a_poisson_process_has_one_everywhere_and_no_correlation() -> None:
    instants = np.cumsum(np.random.default_rng(3).exponential(0.02, 100_000)).tolist()
    found = burstiness(instants, (0.1, 1.0, 5.0))
    assert found.rate_rps == pytest.approx(50.0, rel=0.02)
    assert [value for _, value in found.dispersion] == [pytest.approx(1.0, abs=tol) for tol in (0.03, 0.1, 0.25)]
    assert found.gap_variation == pytest.approx(1.0, abs=0.03)
    assert found.gap_correlation == pytest.approx(0.0, abs=0.015)


@pytest.mark.parametrize("window_s", [0.1, 1.0, 10.0])
def test_an_mmpp_disperses_with_the_window_as_its_formula_says(window_s: float) -> None:
    ((_, dispersion),) = burstiness(mmpp(20_000, 5), (window_s,)).dispersion
    assert dispersion == pytest.approx(mmpp_idc(window_s), rel=0.08)


def test_the_gaps_of_an_mmpp_vary_and_correlate_as_its_matrices_say() -> None:
    variation, correlation = mmpp_gaps()
    found = burstiness(mmpp(20_000, 5))
    assert found.gap_variation == pytest.approx(variation, rel=0.05)
    assert found.gap_correlation == pytest.approx(correlation, abs=0.02)
    assert correlation > 0.1, "the case tells correlated gaps from independent ones"


def test_too_little_to_tell_says_so() -> None:
    found = burstiness([0.0, 1.0, 2.5])
    assert {value for _, value in found.dispersion} == {None}
    assert found.gap_variation is None
    assert found.gap_correlation is None
    assert burstiness([]).rate_rps == 0.0
    assert burstiness([7.0] * 50).gap_variation is None


@pytest.mark.parametrize("instants", [[1.0, 0.5], [0.0, math.nan], [0.0, math.inf]])
def test_instants_that_cannot_be_are_refused(instants: list[float]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        burstiness(instants)


def test_a_window_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        burstiness([0.0, 1.0], (0.0,))
