"""Each forecaster by itself, on what it is there for."""

import numpy as np
import pytest
from series import daily, poisson

from controller.demand import features
from controller.demand.calibration import MEDIAN, Stretch, calibrated, taught, unlearnt
from controller.demand.forecaster import Forecaster
from controller.demand.history import History
from controller.demand.linear import Linear
from controller.demand.mixing import Loss, learned, mixed, pinball
from controller.demand.online import FORECASTERS
from controller.demand.residuals import Repeated, last_value, of_the_next, same_time_of_day
from controller.demand.trees import Trees

LEVELS = (0.5, 0.9, 0.99)


@pytest.mark.parametrize("forecaster", FORECASTERS, ids=lambda item: item.name)
def test_too_short_a_history_is_admitted(forecaster: Forecaster) -> None:
    for history in (History.of(600), History.of(600, [3.0]), History.of(600, [None] * 400)):
        fitted = forecaster.fit(history, 1, LEVELS)
        assert fitted is None or fitted.forecast(history) is None


@pytest.mark.parametrize("forecaster", FORECASTERS, ids=lambda item: item.name)
def test_nothing_after_the_end_of_the_history_is_read(forecaster: Forecaster) -> None:
    """A fit and a forecast from a part of an array are those from the part alone."""
    counts = poisson(daily(500), 500)
    whole = History.of(600, counts)
    part, alone = whole.when_seen(400), History.of(600, counts[:400].copy())
    found = forecaster.fit(part, 3, LEVELS).forecast(part)
    assert np.array_equal(found, forecaster.fit(alone, 3, LEVELS).forecast(alone))


def test_the_last_value_is_the_last_one_seen_with_the_spread_of_its_residuals() -> None:
    history = History.of(600, [10.0, 20.0] * 10 + [None])
    found = Repeated("last", last_value).fit(history, 1, LEVELS).forecast(history)
    residuals = [10.0, -10.0] * 9 + [10.0]
    assert found.tolist() == pytest.approx((20 + np.quantile(residuals, LEVELS)).tolist())


def test_the_same_time_of_day_is_that_of_the_interval_in_question() -> None:
    counts = np.arange(400.0) % 144
    history = History.of(600, counts)
    fitted = Repeated("seasonal", same_time_of_day).fit(history, 7, LEVELS)
    assert fitted.forecast(history).tolist() == pytest.approx([(399 + 7) % 144] * 3)


def test_a_horizon_beyond_a_day_looks_two_days_back() -> None:
    counts = np.arange(500.0)
    assert same_time_of_day(counts, 150, 144, np.array([400])).tolist() == [400 + 150 - 288]


def test_the_line_finds_the_quantiles_of_poisson_counts() -> None:
    counts = poisson(100, 1500)
    history = History.of(600, counts)
    found = Linear().fit(history, 1, LEVELS).forecast(history)
    assert found.tolist() == pytest.approx([100, 113, 124], rel=0.06)


def test_trees_find_a_burst_that_comes_every_hour() -> None:
    minutes = np.arange(60 * 24 * 2)
    counts = np.where(minutes % 60 < 3, 1000.0, 100.0)
    before_burst = History.of(60, counts[: 60 * 40])
    before_quiet = History.of(60, counts[: 60 * 40 + 10])
    fitted = Trees("trees").fit(before_burst, 1, LEVELS)
    assert fitted.forecast(before_burst)[0] == pytest.approx(1000, rel=0.1)
    assert fitted.forecast(before_quiet)[0] == pytest.approx(100, rel=0.1)


def test_a_row_of_features_is_what_its_columns_say() -> None:
    counts: list[float | None] = list(np.arange(1.0, 1 + 144 * 8))
    counts[-2] = None
    row = features.row(History.of(600, counts, first_index=144), 2)
    end = 144 * 8
    assert row[features.LAST] == end
    assert np.isnan(row[features.LAG + 1])
    assert row[features.RECENT + 9] == (144 + end + 1) % 144
    assert row[features.SEASON] == end + 2 - 144
    assert row[features.SEASON + 2] == end + 2 - 7 * 144
    assert row[features.CHANGE : features.CHANGE + 3].tolist() == [2, 2, 2]


def test_a_pinball_loss_is_what_its_formula_says() -> None:
    levels, quantiles = np.array([0.5, 0.9]), np.array([10.0, 20.0])
    assert pinball(levels, quantiles, 30.0).tolist() == pytest.approx([10.0, 9.0])
    assert pinball(levels, quantiles, 0.0).tolist() == pytest.approx([5.0, 2.0])


def test_the_mean_leans_to_the_smaller_loss_level_by_level() -> None:
    losses = (Loss(50, 50, (1.0, 4.0)), Loss(50, 50, (2.0, 1.0)))
    found = mixed(losses, np.array([[10.0, 20.0], [30.0, 60.0]]))
    assert found is not None
    assert found.tolist() == pytest.approx([10, 60], abs=0.01)


def test_who_says_nothing_or_was_not_tried_has_no_weight() -> None:
    losses = (Loss(50, 50, (1.0,)), Loss(50, 50, (1.0,)), Loss(50, 3, (0.0,)))
    found = mixed(losses, np.array([[10.0], [np.nan], [99.0]]))
    assert found is not None
    assert found.tolist() == [10.0]
    assert mixed(losses[1:], np.array([[np.nan], [99.0]])) is None


def test_losses_are_means_over_the_same_outcomes_for_all() -> None:
    loss = Loss(0, 0, (0.0,))
    for own, given in ((2.0, 8.0), (None, 4.0), (9.0, 1.0)):
        loss = learned(loss, None if own is None else np.array([own]), np.array([given]))
    assert loss == Loss(3, 2, (pytest.approx(5.0),))


def test_a_miss_widens_by_as_much_as_the_hits_between_misses_narrow() -> None:
    hit, miss = (taught(0.9, Stretch(10_000), 10.0, count, 1) for count in (9.0, 11.0))
    assert miss.theta == pytest.approx(-9 * hit.theta)
    assert miss.theta > 0


def test_stretching_moves_every_quantile_but_the_median() -> None:
    levels = (0.1, MEDIAN, 0.9)
    wide = calibrated(levels, (Stretch(1, np.log(2)),) * 3, np.array([80.0, 100.0, 130.0]))
    assert wide == pytest.approx((60.0, 100.0, 160.0))


def test_few_residuals_cover_the_next_one_as_often_as_the_level_says() -> None:
    levels, rng = np.array(LEVELS), np.random.default_rng(3)
    drawn = rng.exponential(size=(4000, 25))
    covered = np.mean([row[-1] <= of_the_next(row[:-1], levels) for row in drawn], axis=0)
    assert covered[:2] == pytest.approx([0.5, 0.9], abs=0.02)
    assert covered[2] == pytest.approx(0.99, abs=0.008)


def test_many_residuals_have_the_quantiles_of_their_own() -> None:
    drawn = np.random.default_rng(4).normal(size=1440)
    assert of_the_next(drawn, np.array(LEVELS)) == pytest.approx(np.quantile(drawn, LEVELS), abs=0.08)


def test_a_miss_that_is_told_late_widens_by_less() -> None:
    soon, late = (taught(0.9, Stretch(), 10.0, 11.0, horizon) for horizon in (1, 4))
    assert soon.theta == pytest.approx(4 * late.theta)


def test_outer_quantiles_begin_wider_and_the_median_where_it_is() -> None:
    assert unlearnt(0.99).theta > unlearnt(0.9).theta > unlearnt(MEDIAN).theta == 0
    assert unlearnt(0.1).theta == pytest.approx(unlearnt(0.9).theta)
