import numpy as np
import pytest

from collectors.snapshot import BatchTime, QueueLevel, StageWork
from controller.performance.arrivals import Burst, bursty_us
from controller.performance.counters import DOUBT_OF_LEARNT, batch_times, matched
from controller.performance.serving import Batching, PerBatch, ServiceTimes, answered_us

UNKNOWING = (0.0, 1.0, 1.5, 2.0, 2.5)
"""A curve that is wrong in its level and in its growth."""


def counted(
    batch_us: tuple[float, ...], batching: Batching, rate_rps: float, requests: int = 20_000, depth: float = 0.0
) -> StageWork:
    """The counters of a window on a server with these times, under arrivals that the fit does not know."""
    arrive_us = bursty_us(rate_rps, Burst(depth, 250_000.0), requests, seed=77)
    marked = answered_us(ServiceTimes(batch_us, reply=PerBatch(0.0, 1e9)), batching, arrive_us)
    batches = (marked[~np.isnan(marked)] // 1e9).astype(int)
    executions = round(float((1 / batches).sum()))
    compute_us = round(float(np.asarray(batch_us)[batches].sum()))
    return StageWork(float(arrive_us[-1]) / 1e6, batches.size, 0, executions, 0, compute_us, 0)


@pytest.mark.parametrize(
    ("batch_us", "batching", "rate_rps"),
    [
        ((0.0, 8000.0, 8000.0, 8000.0, 8000.0), Batching(4), 250.0),
        ((0.0, 6000.0, 7000.0, 8000.0, 9000.0), Batching(4), 280.0),
        ((0.0, 10_000.0, 14_000.0, 18_000.0, 22_000.0), Batching(4, speeds=(1.0, 1.0)), 260.0),
        ((0.0, 6000.0, 7000.0, 8000.0, 9000.0), Batching(4, 2000.0), 250.0),
        ((0.0, 6000.0, 7000.0, 8000.0, 9000.0), Batching(4, levels=(QueueLevel(20_000, limit=9),)), 250.0),
        ((0.0, 6000.0, 7000.0, 8000.0, 9000.0), Batching(4, speeds=(1.0, 1.0), at_once=1), 280.0),
    ],
)
def test_a_curve_is_found_from_the_mean_batch_and_the_mean_time(
    batch_us: tuple[float, ...], batching: Batching, rate_rps: float
) -> None:
    found = matched(counted(batch_us, batching, rate_rps), batching, ServiceTimes(UNKNOWING)).batch_us
    assert found[1] == pytest.approx(batch_us[1], rel=0.05)
    assert found[4] == pytest.approx(batch_us[4], rel=0.04)


def test_what_hardly_batches_only_scales_the_curve_that_was_expected() -> None:
    batch_us = (0.0, 5000.0, 9000.0, 13_000.0, 17_000.0)
    expected = (0.0, 2000.0, 2500.0, 3000.0, 3500.0)
    found = matched(counted(batch_us, Batching(4), 10.0, 400), Batching(4), ServiceTimes(expected)).batch_us
    assert found[1] == pytest.approx(5000.0, rel=0.03)
    assert found[4] / found[1] == pytest.approx(expected[4] / expected[1], rel=0.15)


def test_one_window_of_noise_moves_a_learnt_curve_less_than_a_profile() -> None:
    truth, batching = (0.0, 6000.0, 7000.0, 8000.0, 9000.0), Batching(4)
    work = counted(truth, batching, 150.0, 300)
    learnt, profiled = (
        abs(matched(work, batching, ServiceTimes(truth), *doubt).batch_us[4] / truth[4] - 1)
        for doubt in ((DOUBT_OF_LEARNT,), ())
    )
    assert learnt < 0.05
    assert learnt <= profiled


def test_the_executions_have_the_requests_and_the_time_that_were_counted() -> None:
    work = counted((0.0, 6000.0, 7000.0, 8000.0, 9000.0), Batching(4), 280.0)
    times = list(batch_times(work, Batching(4), ServiceTimes(UNKNOWING)))
    assert sum(item.batch * item.executions for item in times) == pytest.approx(work.requests, rel=0.01)
    assert sum(item.batch * item.total_us for item in times) == pytest.approx(work.compute_us, rel=0.01)
    assert sum(item.executions for item in times) == pytest.approx(work.executions, rel=0.03)


def test_counters_that_no_steady_arrivals_explain_tell_a_level_and_no_growth() -> None:
    work = counted((0.0, 8000.0, 10_000.0, 12_000.0, 14_000.0), Batching(4, speeds=(1.0,) * 2), 120.0, 8000, depth=1.0)
    work = StageWork(work.window_s, work.requests, 0, work.executions // 2, 0, work.compute_us, 0)
    (item,) = batch_times(work, Batching(4, speeds=(1.0,) * 2), ServiceTimes(UNKNOWING))
    assert item.batch == round(work.requests / work.executions)
    assert item.total_us / item.executions == pytest.approx(work.compute_us / work.requests, rel=1e-3)


def test_without_batches_the_times_are_those_of_single_requests() -> None:
    work = StageWork(10.0, 200, 0, 200, 0, 1_000_000, 0)
    assert list(batch_times(work, Batching(1), ServiceTimes((0.0, 1.0)))) == [BatchTime(1, 200, 1_000_000)]


@pytest.mark.parametrize("counts", [(5, 5, 1000), (100, 0, 1000), (100, 120, 1000), (100, 50, 0)])
def test_counters_that_say_too_little_or_cannot_be_tell_nothing(counts: tuple[int, int, int]) -> None:
    requests, executions, compute_us = counts
    work = StageWork(10.0, requests, 0, executions, 0, compute_us, 0)
    assert list(batch_times(work, Batching(4), ServiceTimes(UNKNOWING))) == []


def test_settings_with_which_nothing_would_be_answered_explain_nothing() -> None:
    """Every request would be refused before the delay is over; the counters tell of 100 of them that were not."""
    batching = Batching(4, 8000.0, levels=(QueueLevel(timeout_us=10),))
    work = StageWork(10.0, 100, 0, 40, 0, 700_000, 0)
    assert list(batch_times(work, batching, ServiceTimes(UNKNOWING))) == [BatchTime(2, 40, 280_000)]
