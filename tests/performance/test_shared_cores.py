"""Instances that compute on fewer cores than there are of them."""

import numpy as np
import pytest

from controller.performance.serving import (
    Batching,
    Load,
    PerBatch,
    ServiceTimes,
    answered_us,
    capacity_rps,
    latencies_us,
)

SERVICE = ServiceTimes((0.0, 4_000.0, 5_000.0, 6_000.0, 7_000.0), reply=PerBatch(300.0, 50.0))
LOAD = Load(150.0)


def on(cores: float | None, instances: int = 2) -> Batching:
    return Batching(4, 500.0, speeds=(1.0,) * instances, cores=cores)


def test_with_a_core_for_each_instance_nothing_is_shared() -> None:
    assert latencies_us(SERVICE, on(2.0), LOAD, 4_000) == pytest.approx(latencies_us(SERVICE, on(None), LOAD, 4_000))


def test_two_requests_at_once_on_one_core_take_twice_as_long_and_so_does_the_way_back() -> None:
    alone = answered_us(SERVICE, Batching(1, speeds=(1.0, 1.0), cores=1.0), np.array([0.0]))
    both = answered_us(SERVICE, Batching(1, speeds=(1.0, 1.0), cores=1.0), np.array([0.0, 0.0]))
    assert alone.tolist() == [4_000 + 350]
    assert both.tolist() == [8_000 + 700, 8_000 + 700]


def test_the_capacity_is_that_of_the_cores_or_of_the_instances_where_those_are_fewer() -> None:
    one = capacity_rps(SERVICE, on(None, instances=1))
    assert capacity_rps(SERVICE, on(1.0)) == pytest.approx(one)
    assert capacity_rps(SERVICE, on(1.5)) == pytest.approx(1.5 * one)
    assert capacity_rps(SERVICE, on(8.0)) == pytest.approx(2 * one)


def test_clients_that_wait_are_refused_rather_than_simulated_wrongly() -> None:
    with pytest.raises(ValueError, match="give arrivals"):
        answered_us(SERVICE, on(1.0), np.array([0.0]), closed=True)
