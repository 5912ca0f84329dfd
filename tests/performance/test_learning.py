import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.snapshot import Batches, BatchTime, Reading, Snapshot
from controller.decision import LearntTimes
from controller.performance.alone import accompanied, alone, effects_of
from controller.performance.learn import curve, learn
from controller.performance.service_curve import service_curve
from controller.performance.service_time import batch_us
from controller.performance.windows import windows
from policy.resolved import Policy, VariantProfile

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
PRIOR = (0.0, 1000.0, 1500.0, 2000.0, 2500.0)


@pytest.fixture(scope="module")
def policy(example: Policy) -> Policy:
    return example


@pytest.fixture(scope="module")
def profile(policy: Policy) -> VariantProfile:
    return next(p for d in policy.devices if d.device == "edge-module" for p in d.variants if p.model == "ppocr-rec")


def seen(profile: VariantProfile, factor: float, executions: int, batch: int = 1) -> Snapshot:
    times = (BatchTime(batch, executions, round(executions * factor * batch_us(profile, batch))),)
    reading = Reading(times, NOW, "server")
    return Snapshot(NOW, batches=(Batches("edge-paris", profile.model, profile.variant, reading),))


def taught(
    policy: Policy, snapshot: Snapshot, known: tuple[LearntTimes, ...] = (), now: datetime = NOW
) -> tuple[LearntTimes, ...]:
    counted = alone(accompanied(windows(policy, snapshot, {}, known, now), (), ()), effects_of(policy, ()))
    return learn(policy, counted, known)


def learnt(policy: Policy, profile: VariantProfile, *given: tuple[float, int, int]) -> LearntTimes:
    known: tuple[LearntTimes, ...] = ()
    for factor, executions, batch in given:
        known = taught(policy, seen(profile, factor, executions, batch), known)
    (found,) = known
    return found


def test_what_was_never_counted_is_as_profiled(profile: VariantProfile) -> None:
    assert curve(profile, ()) == tuple(batch_us(profile, batch) for batch in range(1, len(curve(profile, ())) + 1))


def test_a_speed_that_is_counted_at_one_size_holds_for_all(policy: Policy, profile: VariantProfile) -> None:
    used_us = learnt(policy, profile, (1.3, 500, 1)).used_us
    assert used_us == pytest.approx([1.3 * time_us for time_us in curve(profile, ())], rel=1e-3)


def test_noise_within_the_band_changes_nothing(policy: Policy, profile: VariantProfile) -> None:
    steady = learnt(policy, profile, (1.2, 500, 1))
    noisy = learnt(policy, profile, (1.2, 500, 1), (1.22, 50, 1))
    assert noisy.used_us == steady.used_us
    assert noisy.counted != steady.counted


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_a_change_by_half_is_followed_within_three_intervals(
    policy: Policy, profile: VariantProfile, factor: float
) -> None:
    used_us = learnt(policy, profile, (1.0, 400, 1), *[(factor, 30, 1)] * 3).used_us
    assert used_us[0] == pytest.approx(factor * batch_us(profile, 1), rel=0.04)


def test_few_executions_are_not_taken_for_a_change(policy: Policy, profile: VariantProfile) -> None:
    used_us = learnt(policy, profile, (1.0, 400, 1), (1.5, 3, 1)).used_us
    assert used_us[0] == pytest.approx(batch_us(profile, 1), rel=0.04)


def test_a_stale_reading_teaches_nothing(policy: Policy, profile: VariantProfile) -> None:
    later = NOW + timedelta(seconds=policy.scaling.stale_after_s + 1)
    assert taught(policy, seen(profile, 2.0, 500), now=later) == ()


def test_a_variant_without_a_profile_is_passed_over(policy: Policy) -> None:
    reading = Reading((BatchTime(1, 100, 100_000),), NOW, "server")
    assert taught(policy, Snapshot(NOW, batches=(Batches("edge-paris", "stray", "fp32", reading),))) == ()


def test_counts_of_every_size_are_given_back() -> None:
    counted = [BatchTime(b, 100_000, round(100_000 * (700 + 300 * b))) for b in (1, 2, 4)]
    assert service_curve(counted, 4)[1:] == pytest.approx([1000, 1300, 1600, 1900], rel=1e-3)


def test_what_scatters_is_believed_only_with_many_executions() -> None:
    """A hundred executions that scatter by half tell a mean to 5 %, and the curve from before is good to 3 %."""
    slower = [BatchTime(1, 100, 100 * 1100)]
    assert service_curve(slower, 1, (0.0, 1000.0))[1] == pytest.approx(1100)
    drawn = service_curve(slower, 1, (0.0, 1000.0), spread=0.5)[1]
    many = service_curve([BatchTime(1, 10_000, 10_000 * 1100)], 1, (0.0, 1000.0), spread=0.5)[1]
    assert 1030 < drawn < 1055
    assert many == pytest.approx(1100, rel=0.005)


def test_without_counts_or_prior_there_is_no_curve() -> None:
    with pytest.raises(ValueError, match="give a prior"):
        service_curve([], 4)


@given(
    st.lists(
        st.builds(BatchTime, st.integers(1, 16), st.integers(0, 10_000), st.integers(1, 10**9)), min_size=0, max_size=8
    ),
    st.sampled_from([None, PRIOR]),
)
def test_service_times_rise_with_the_batch(counted: list[BatchTime], prior: tuple[float, ...] | None) -> None:
    if not any(item.executions for item in counted) and prior is None:
        return
    times_us = service_curve(counted, 4, prior)
    assert len(times_us) == 5
    assert all(0 <= before <= after for before, after in itertools.pairwise(times_us))
