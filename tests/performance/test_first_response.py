"""When the first responses of decoupled models come: by hand, and against a queue that is simulated anew."""

import heapq

import numpy as np
import pytest

from controller.performance.service_time import batch_us, first_part
from controller.performance.serving import Batching, ServiceTimes, answered_us
from controller.performance.surface import LEVELS, quantiles, shape_of, to_first
from policy.findings import Place
from policy.resolved import VariantProfile

HERE = Place("devices.yaml", 1, 1)


def profile(*first_us: tuple[int, int]) -> VariantProfile:
    return VariantProfile("write", "fp16", ((1, 1_000), (3, 2_000)), 100, 1_000, HERE, first_us)


def test_the_part_of_a_batch_after_which_its_first_responses_leave() -> None:
    two = profile((1, 200), (3, 1_000))
    assert [first_part(two, batch) for batch in (1, 2, 3)] == [0.2, 600 / 1_500, 0.5]
    assert [first_part(profile(), batch) for batch in (1, 2, 3)] == [1, 1, 1]
    assert first_part(profile((1, 900)), 3) == 1, (
        "what one batch alone tells grows with the batch, and not beyond the whole"
    )
    assert batch_us(two, 2) == 1_500


def test_requests_wait_for_whole_executions_before_them_and_for_the_first_response_of_their_own() -> None:
    service = ServiceTimes((0.0, 100.0, 150.0), first_us=(0.0, 20.0, 40.0))
    found = answered_us(service, Batching(2), np.array([0.0, 10.0, 30.0, 400.0]))
    assert found.tolist() == [20, 90 + 40, 70 + 40, 20]


@pytest.mark.parametrize("instances", [1, 3])
def test_a_queue_that_is_simulated_anew_gives_the_same(instances: int) -> None:
    rng = np.random.default_rng(7)
    arrive_us = np.cumsum(rng.exponential(60.0, 2_000))
    whole_us, first_us = (0.0, 100.0, 130.0, 190.0, 250.0), (0.0, 30.0, 45.0, 50.0, 90.0)
    service = ServiceTimes(whole_us, first_us=first_us)
    found = answered_us(service, Batching(4, speeds=(1.0,) * instances), arrive_us)
    free, waiting, begun = [0.0] * instances, list(arrive_us), []
    while waiting:
        at_us = max(heapq.heappop(free), waiting[0])
        taken = [each for each in waiting[:4] if each <= at_us]
        waiting = waiting[len(taken) :]
        heapq.heappush(free, at_us + whole_us[len(taken)])
        begun += [at_us + first_us[len(taken)] - each for each in taken]
    assert found == pytest.approx(begun)


def test_a_surface_of_single_requests_is_shifted_by_what_comes_after_the_first_response() -> None:
    whole = shape_of((6_400,), 2, 1)
    first = to_first(whole, (0.25,))
    for utilisation in (0.3, 0.7):
        assert quantiles(first, utilisation) == pytest.approx(quantiles(whole, utilisation) - 0.75, abs=1e-5)


def test_a_surface_of_batches_lies_between_and_rises() -> None:
    whole = shape_of((1_000, 1_300, 1_600, 2_000), 1, 2)
    first = to_first(whole, (0.2, 0.3, 0.4, 0.5))
    assert len(quantiles(first, 0.5)) == LEVELS
    assert (quantiles(first, 0.5) < quantiles(whole, 0.5)).all()
    assert (quantiles(first, 0.5) <= quantiles(first, 0.7)).all()


def test_where_the_whole_is_the_first_response_nothing_is_simulated_anew() -> None:
    whole = shape_of((1_000, 1_300), 1, 1)
    assert to_first(whole, (1.0, 1.0)) is whole
