"""The forecast as a whole: what it says of series whose future is known in law."""

import itertools
import subprocess
import sys

import msgspec
import numpy as np
import pytest
from series import daily, forecasts, poisson

from controller.demand.history import History
from controller.demand.newcomer import Newcomer
from controller.demand.online import FORECASTERS, LEVELS, LIGHT, Models, State, forecast, last_fit, settle


def test_every_quantile_is_ordered_finite_and_not_negative() -> None:
    rng = np.random.default_rng(2)
    counts = [None if rng.random() < 0.1 else float(value) for value in rng.negative_binomial(0.3, 0.01, 300)]
    found, _ = forecasts(counts, horizon=3, levels=(0.1, 0.5, 0.9, 0.99))
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (np.diff(found, axis=1) >= 0).all()


def test_a_constant_series_is_forecast_as_that_constant() -> None:
    found, _ = forecasts([100.0] * 600)
    assert found[-1, 0] == pytest.approx(100)
    assert found[-1, 2] < 103


def test_a_series_of_zeros_keeps_hardly_any_room() -> None:
    found, _ = forecasts([0.0] * 600)
    assert found[-1, 0] == 0
    assert found[-1, 2] < 0.5


def test_after_a_step_the_forecast_is_at_the_new_level_within_a_few_intervals() -> None:
    counts = np.concatenate([poisson(50, 300), poisson(500, 60)])
    found, _ = forecasts(counts)
    assert found[290, 0] == pytest.approx(50, rel=0.2)
    assert found[306, 0] == pytest.approx(500, rel=0.25)
    assert found[-1, 0] == pytest.approx(500, rel=0.1)


def test_a_daily_swing_is_seen_coming() -> None:
    mean, horizon = daily(144 * 6), 12
    counts = poisson(mean, 144 * 6)
    found, _ = forecasts(counts, horizon=horizon)
    scored = slice(144 * 3, 144 * 6 - horizon)
    truth = counts[144 * 3 + horizon :]
    assert np.abs(truth - found[scored, 0]).mean() < 0.5 * np.abs(truth - counts[scored]).mean()


def test_coverage_is_right_for_overdispersed_counts() -> None:
    counts = np.random.default_rng(4).negative_binomial(5, 0.05, 3000).astype(float)
    found, _ = forecasts(counts)
    covered = (counts[100:, None] <= found[99:-1]).mean(axis=0)
    assert covered[1] == pytest.approx(0.9, abs=0.02)
    assert covered[2] == pytest.approx(0.99, abs=0.005)


def test_coverage_holds_when_the_spread_doubles_midway() -> None:
    rng = np.random.default_rng(6)
    counts = np.concatenate([rng.normal(1000, 20, 1500), rng.normal(1000, 40, 1500)])
    found, _ = forecasts(counts)
    covered = (counts[1500:, None] <= found[1499:-1]).mean(axis=0)
    assert covered[1] == pytest.approx(0.9, abs=0.02)
    assert covered[2] == pytest.approx(0.99, abs=0.007)


def test_a_gap_moves_nothing_and_teaches_nothing() -> None:
    counts = poisson(200, 400).tolist()
    before, learnt = forecasts(counts)
    after, later = forecasts([*counts, *[None] * 20])
    assert later.losses == learnt.losses
    assert later.stretches == learnt.stretches
    assert after[-1, 0] == pytest.approx(before[-1, 0], rel=0.1)


def test_a_forecast_is_held_against_its_own_interval() -> None:
    state, history = State.new(2, LEVELS, len(LIGHT)), History.of(60, [10.0])
    state, given = forecast(state, history, Models(LIGHT), Newcomer(10))
    assert [item.index for item in state.pending] == [2]
    too_early = settle(state, history.then(0.0))
    assert too_early == state
    missed = settle(too_early, history.then(0.0).then(given[2] + 1))
    assert missed.pending == ()
    assert missed.stretches[2].theta > state.stretches[2].theta
    kept = settle(too_early, history.then(0.0).then(given[1]))
    assert kept.stretches[1].theta < state.stretches[1].theta


def test_the_same_counts_give_the_same_forecasts_trees_included() -> None:
    counts = poisson(daily(400), 400)
    first, state = forecasts(counts, forecasters=FORECASTERS)
    again, replayed = forecasts(counts, forecasters=FORECASTERS)
    assert np.array_equal(first, again)
    assert state == replayed
    assert all(loss.forecasts for loss in state.losses), "every forecaster took part"


def test_a_state_that_was_written_down_goes_on_as_the_one_that_ran() -> None:
    counts = poisson(daily(400), 400).tolist()
    history, state, models = History.of(600), State.new(1), Models()
    for count in counts[:300]:
        history = history.then(count)
        state, _ = forecast(state, history, models, Newcomer())
    restored = msgspec.json.decode(msgspec.json.encode(state), type=State)
    assert restored == state
    fresh = Models()
    for count in counts[300:]:
        history = history.then(count)
        state, ran = forecast(state, history, models, Newcomer())
        restored, resumed = forecast(restored, history, fresh, Newcomer())
        assert resumed == ran


def test_the_better_forecaster_gets_the_say() -> None:
    counts = poisson(daily(144 * 5), 144 * 5)
    _, state = forecasts(counts, horizon=24)
    last, seasonal = (state.losses[i].by_level[0] for i in (0, 1))
    assert seasonal < last
    found, _ = forecasts(counts, horizon=24)
    given = np.abs(counts[144 * 3 + 24 :] - found[144 * 3 : -24, 0]).mean() / 2
    assert given < 1.1 * seasonal


def test_fits_are_rarer_the_longer_the_history() -> None:
    fits = [last_fit(seen, 240) for seen in range(5000)]
    assert fits[:12] == [0] * 12
    assert all(due <= seen for seen, due in enumerate(fits))
    changes = [seen for seen in range(1, 5000) if fits[seen] != fits[seen - 1]]
    assert fits[changes[0]] == 12
    assert [after - before for before, after in itertools.pairwise(changes)][-5:] == [240] * 5


@pytest.mark.parametrize(("horizon", "levels"), [(0, LEVELS), (1, (0.9, 0.99)), (1, (0.5, 0.5, 0.9)), (1, (0.5, 1.0))])
def test_a_horizon_or_levels_that_make_no_sense_are_refused(horizon: int, levels: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="levels with the median"):
        State.new(horizon, levels)


def test_what_learns_is_not_loaded_before_there_is_something_to_learn_from() -> None:
    code = "import sys, controller.demand.online; print(*{'numba', 'scipy', 'lightgbm'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == ""
