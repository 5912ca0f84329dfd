import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.decision import Effect, Interference
from controller.performance.interference import Effects

DET, REC, CLS = ("det", "fp32"), ("rec", "fp32"), ("cls", "fp32")
VICTIM = (*CLS, "edge")
SHARES = {(*DET, "edge"): 0.5, (*REC, "edge"): 0.4, VICTIM: 0.5}
NOBODY_KNOWN = Effects({}, SHARES)
LEVEL = 1.7
"""The variant is that much slower than its profile says, alone."""
WINDOWS = 60


def after(
    effects: Effects,
    betas: tuple[float, float],
    windows: int,
    *,
    swing: float = 0.2,
    seed: int = 1,
) -> Effects:
    """Windows in which two neighbours are busy for 0.4 of the time, give or take `swing`; times vary by 1 %."""
    rng = np.random.default_rng(seed)
    for _ in range(windows):
        det, rec = (float(busy) for busy in np.clip(0.4 + swing * rng.standard_normal(2), 0, 1))
        ratio = LEVEL * (1 + betas[0] * det + betas[1] * rec) * (1 + 0.01 * float(rng.standard_normal()))
        known = effects.observed(VICTIM, {DET: det, REC: rec}, ratio, 300)
        effects = Effects({**effects.known, VICTIM: known}, effects.shares)
    return effects


@pytest.mark.parametrize("betas", [(0.5, 0.2), (0.15, 0.6), (0.0, 0.9)])
@pytest.mark.parametrize("seed", range(4))
def test_what_each_neighbour_adds_is_found_within_a_tenth_after_sixty_windows(
    betas: tuple[float, float], seed: int
) -> None:
    effects = after(NOBODY_KNOWN, betas, WINDOWS, seed=seed)
    for company in ({DET: 0.8}, {REC: 0.8}, {DET: 0.8, REC: 0.8}):
        truth = betas[0] * company.get(DET, 0.0) + betas[1] * company.get(REC, 0.0)
        assert effects.slowdown(VICTIM, company) - 1 == pytest.approx(truth, rel=0.1, abs=0.03)


def test_a_drift_is_followed_within_150_windows() -> None:
    before = after(NOBODY_KNOWN, (0.6, 0.2), 200)
    effects = after(before, (0.2, 0.2), 150, seed=2)
    assert before.slowdown(VICTIM, {DET: 1.0}) == pytest.approx(1.6, abs=0.06)
    assert effects.slowdown(VICTIM, {DET: 1.0}) == pytest.approx(1.2, abs=0.06)


def test_a_pair_that_was_never_seen_is_as_slow_as_their_shares_of_the_device_say() -> None:
    assert NOBODY_KNOWN.slowdown(VICTIM, {DET: 0.5}) == 1 + 0.5 * 0.5 * 0.5


def test_a_neighbour_without_a_profile_may_take_all_that_the_victim_wants() -> None:
    assert NOBODY_KNOWN.slowdown(VICTIM, {("stray", "fp32"): 1.0}) == 1.5
    assert NOBODY_KNOWN.slowdown(("stray", "fp32", "edge"), {("other", "fp32"): 1.0}) == 2.0


def test_always_equal_company_costs_nothing_beyond_what_was_counted_and_more_of_it_as_expected() -> None:
    effects = after(NOBODY_KNOWN, (0.5, 0.2), WINDOWS, swing=0.0)
    assert effects.slowdown(VICTIM, {DET: 0.4, REC: 0.4}) == pytest.approx(1.0, abs=0.01)
    assert effects.slowdown(VICTIM, {DET: 0.9}) == pytest.approx(1 + 0.5 * 0.25, abs=0.02)


def test_neighbours_that_seem_to_help_do_nothing_and_none_does_more_than_take_half() -> None:
    assert after(NOBODY_KNOWN, (-0.5, 0.3), WINDOWS).slowdown(VICTIM, {DET: 1.0}) == 1.0
    assert after(NOBODY_KNOWN, (1.8, 0.0), WINDOWS).slowdown(VICTIM, {DET: 1.0}) == 2.0


def test_a_neighbour_long_gone_is_forgotten_and_a_new_one_gets_its_place() -> None:
    effects = after(NOBODY_KNOWN, (0.5, 0.2), WINDOWS)
    for _ in range(1000):
        effects = Effects({VICTIM: effects.observed(VICTIM, {("vad", "fp32"): 0.5}, LEVEL, 300)}, SHARES)
    assert effects.known[VICTIM].beside == (("vad", "fp32"),)


def test_the_busiest_neighbours_are_told_apart() -> None:
    crowd = {(f"model-{i:02d}", "fp32"): 0.1 + i / 100 for i in range(20)}
    known = NOBODY_KNOWN.observed(VICTIM, crowd, LEVEL, 300)
    assert [name for name, _ in known.beside] == [f"model-{i:02d}" for i in range(12, 20)]


COMPANY = st.dictionaries(
    st.sampled_from([DET, REC, CLS, ("vad", "fp32"), ("stray", "fp32")]), st.floats(0, 4), max_size=5
)
PERMILLE = st.integers(0, 1000)
KNOWN = st.lists(
    st.tuples(st.sampled_from([DET, REC, CLS]), st.integers(0, 3000), PERMILLE, PERMILLE),
    unique_by=lambda item: item[0],
    max_size=3,
)


@given(COMPANY, COMPANY, KNOWN)
def test_more_company_never_makes_anything_faster(
    company: dict[tuple[str, str], float],
    more: dict[tuple[str, str], float],
    known: list[tuple[tuple[str, str], int, int, int]],
) -> None:
    used = tuple(Effect(*name, seen, min(a, b), max(a, b)) for name, seen, a, b in known)
    effects = Effects({VICTIM: Interference(*VICTIM, used=used)}, SHARES)
    crowded = {name: company.get(name, 0.0) + more.get(name, 0.0) for name in {*company, *more}}
    assert 1.0 <= effects.slowdown(VICTIM, company) <= effects.slowdown(VICTIM, crowded) * (1 + 1e-12)
    assert effects.slowdown(VICTIM, {}) == 1.0


@given(
    st.lists(st.tuples(COMPANY, st.floats(0.1, 10), st.integers(1, 1000)), min_size=1, max_size=12), COMPANY, COMPANY
)
def test_whatever_was_counted_slowdowns_stay_within_processor_sharing(
    windows: list[tuple[dict[tuple[str, str], float], float, int]],
    company: dict[tuple[str, str], float],
    more: dict[tuple[str, str], float],
) -> None:
    effects = NOBODY_KNOWN
    for beside, ratio, executions in windows:
        effects = Effects({VICTIM: effects.observed(VICTIM, beside, ratio, executions)}, SHARES)
    crowded = {name: company.get(name, 0.0) + more.get(name, 0.0) for name in {*company, *more}}
    slowdown = effects.slowdown(VICTIM, crowded)
    assert effects.slowdown(VICTIM, company) <= slowdown * (1 + 1e-12)
    assert 1.0 <= slowdown <= 1 + sum(crowded.values()) + 1e-9
