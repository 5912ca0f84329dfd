"""Instances that compute on fewer cores than there are of them."""

import numpy as np
import pytest

from controller.performance.alone import alone
from controller.performance.service_curve import BatchTime
from controller.performance.serving import (
    Batching,
    Load,
    PerBatch,
    ServiceTimes,
    answered_us,
    capacity_rps,
    latencies_us,
    slowdown,
)

SERVICE = ServiceTimes((0.0, 4_000.0, 5_000.0, 6_000.0, 7_000.0), reply=PerBatch(300.0, 50.0))
LOAD = Load(150.0)


def on(cores: float | None, instances: int = 2) -> Batching:
    return Batching(4, 500.0, speeds=(1.0,) * instances, cores=cores)


def test_with_a_core_for_each_instance_nothing_is_shared() -> None:
    assert latencies_us(SERVICE, on(2.0), LOAD, 4_000) == pytest.approx(latencies_us(SERVICE, on(None), LOAD, 4_000))


def test_two_requests_at_once_on_one_core_take_twice_as_long() -> None:
    alone = answered_us(SERVICE, Batching(1, speeds=(1.0, 1.0), cores=1.0), np.array([0.0]))
    both = answered_us(SERVICE, Batching(1, speeds=(1.0, 1.0), cores=1.0), np.array([0.0, 0.0]))
    assert alone.tolist() == [4_000 + 350]
    assert both.tolist() == [8_000 + 350, 8_000 + 350]


def test_the_capacity_is_that_of_the_cores_or_of_the_instances_where_those_are_fewer() -> None:
    one = capacity_rps(SERVICE, on(None, instances=1))
    assert capacity_rps(SERVICE, on(1.0)) == pytest.approx(one)
    assert capacity_rps(SERVICE, on(1.5)) == pytest.approx(1.5 * one)
    assert capacity_rps(SERVICE, on(8.0)) == pytest.approx(2 * one)


def test_clients_that_wait_are_refused_rather_than_simulated_wrongly() -> None:
    with pytest.raises(ValueError, match="give arrivals"):
        answered_us(SERVICE, on(1.0), np.array([0.0]), closed=True)


def test_times_alone_are_found_from_times_that_were_shared() -> None:
    factor = slowdown(SERVICE, on(1.0), LOAD)
    assert factor > 1.2
    counted = [BatchTime(size, 100, 100 * factor * SERVICE.batch_us[size]) for size in (1, 2, 4)]
    guess = ServiceTimes(tuple(1.6 * time_us for time_us in SERVICE.batch_us), reply=SERVICE.reply)
    assert alone(counted, guess, on(1.0), LOAD).batch_us == pytest.approx(SERVICE.batch_us, rel=0.01)


def test_where_nothing_was_counted_the_known_times_stand() -> None:
    assert alone([], SERVICE, on(1.0), LOAD) == SERVICE
