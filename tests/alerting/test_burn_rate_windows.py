"""Which windows an error budget is watched over, against the table that it is from."""

from hypothesis import given
from hypothesis import strategies as some

from controller.alerting.windows import LEAST_S, PAGE, TICKET, BurnRate, burn_rates

HOUR_S, DAY_S = 3_600, 86_400


def test_thirty_days_have_the_rows_of_the_workbook() -> None:
    assert burn_rates(30 * DAY_S, 0.001) == (
        BurnRate(HOUR_S, 300, 14.4, PAGE),
        BurnRate(6 * HOUR_S, 1_800, 6.0, PAGE),
        BurnRate(3 * DAY_S, 6 * HOUR_S, 1.0, TICKET),
    )


def test_each_row_uses_up_the_part_of_the_budget_that_the_workbook_says() -> None:
    used = [rate.factor * rate.long_s / (30 * DAY_S) for rate in burn_rates(30 * DAY_S, 0.001)]
    assert [round(part, 6) for part in used] == [0.02, 0.05, 0.1]


def test_a_shorter_budget_has_shorter_windows() -> None:
    assert burn_rates(DAY_S, 0.01) == (
        BurnRate(720, 60, 6.0, PAGE),
        BurnRate(8_640, 720, 1.0, TICKET),
    )


def test_a_budget_too_short_for_the_table_is_looked_at_as_a_whole() -> None:
    assert burn_rates(300, 0.01) == (BurnRate(300, 300, 1.0, TICKET),)
    assert burn_rates(10, 0.01) == (BurnRate(60, 60, 1.0, TICKET),)


def test_a_rate_that_no_service_could_reach_is_left_out() -> None:
    assert [rate.factor for rate in burn_rates(30 * DAY_S, 0.05)] == [14.4, 6.0, 1.0]
    assert [rate.factor for rate in burn_rates(30 * DAY_S, 0.1)] == [6.0, 1.0]
    assert [rate.factor for rate in burn_rates(30 * DAY_S, 0.5)] == [1.0]


@given(some.integers(1, 366 * DAY_S), some.integers(1, 9_999))
def test_every_budget_is_watched_by_windows_that_can_be_measured(window_s: int, percentile_bp: int) -> None:
    budget = (10_000 - percentile_bp) / 10_000
    rates = burn_rates(window_s, budget)
    assert rates
    for rate in rates:
        assert LEAST_S <= rate.short_s <= rate.long_s <= max(window_s, LEAST_S)
        assert 0 < rate.factor * budget < 1
