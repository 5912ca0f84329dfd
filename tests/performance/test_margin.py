from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from collectors.snapshot import Latency, Quantiles, Reading, Snapshot
from controller.decision import Forecast, Margin, State
from controller.performance.margin import findings, learn_margins, margin_permille
from policy.resolved import Policy

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
PREDICTED = Forecast("call-vad", "edge-paris", 6000, 20_000, 50_000, 70_000, 1000)
AT_REST = State(forecasts=(PREDICTED,), rest_since=NOW - timedelta(minutes=5))


def seen(p95_us: int, runs: int = 100) -> Snapshot:
    reading = Reading(Quantiles(runs, 20_000, p95_us, p95_us), NOW, "spans")
    return Snapshot(NOW, latency=(Latency("call-vad", "edge-paris", reading),))


def after(policy: Policy, state: State, *p95_us: int) -> State:
    for value_us in p95_us:
        state = replace(state, margins=learn_margins(policy, seen(value_us), state, NOW))
    return state


def used(state: State) -> int:
    return margin_permille(state.margins, "call-vad", "edge-paris")


def test_without_anything_learnt_predictions_stand() -> None:
    assert used(State()) == 1000


def test_predictions_that_hold_need_no_margin(example: Policy) -> None:
    state = after(example, AT_REST, *[50_000] * 50)
    assert used(state) == 1000
    assert findings(state.margins) == ()


def test_predictions_that_were_too_low_get_a_margin_and_a_finding(example: Policy) -> None:
    state = after(example, AT_REST, *[65_000] * 50)
    assert used(state) >= 1300
    (finding,) = findings(state.margins)
    assert finding.id == "GW2015"
    assert finding.subject == "call-vad@edge-paris"


def test_a_margin_shrinks_again_when_it_is_not_needed(example: Policy) -> None:
    grown = after(example, AT_REST, *[90_000] * 60)
    assert used(after(example, grown, *[50_000] * 300)) < used(grown)


def test_a_margin_has_an_end(example: Policy) -> None:
    assert used(after(example, AT_REST, *[9_000_000] * 500)) == 3000


def test_it_holds_in_nine_windows_of_ten(example: Policy) -> None:
    """Windows that scatter around 1.2 times the prediction: the tracked margin covers 90 % of those that follow."""
    rng = np.random.default_rng(5)
    state, covered = AT_REST, []
    for at, ratio in enumerate(1.2 * np.exp(0.15 * rng.standard_normal(3000))):
        margin = state.margins[0].permille / 1000 if state.margins else 1.0
        if at >= 500:
            covered.append(ratio <= margin)
        state = after(example, state, round(50_000 * ratio))
    assert np.mean(covered) == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(
    ("state", "runs"),
    [
        (replace(AT_REST, rest_since=None), 100),  # the fleet is being changed
        (replace(AT_REST, rest_since=NOW - timedelta(seconds=59)), 100),  # or was
        (replace(AT_REST, forecasts=(replace(PREDICTED, served_permille=900),)), 100),  # some of it is refused
        (AT_REST, 5),  # too few runs
    ],
)
def test_windows_that_tell_nothing_teach_nothing(example: Policy, state: State, runs: int) -> None:
    assert learn_margins(example, seen(500_000, runs), state, NOW) == ()


def test_small_changes_leave_the_step_in_use(example: Policy) -> None:
    margin = Margin("call-vad", "edge-paris", 1195, 1200)
    state = after(example, replace(AT_REST, margins=(margin,)), *[50_000] * 5)
    assert state.margins[0].permille < 1195
    assert used(state) == 1200
