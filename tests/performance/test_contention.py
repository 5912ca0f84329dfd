import pytest

from collectors.snapshot import BatchTime
from controller.performance.contention import handling_us
from controller.performance.serving import Batching, Load, ServiceTimes, slowdown

WORK_US = (0.0, 3000.0, 5200.0, 7400.0, 9600.0)


def test_handling_is_what_the_core_did_beside_executions() -> None:
    counted = [BatchTime(1, 600, 600 * 3000), BatchTime(2, 200, 200 * 5200)]
    computing = 200.0 * (600 * 3000 + 200 * 5200) / 1000 / 1e6
    assert handling_us(counted, 200.0, busy=computing + 0.1) == pytest.approx(500)


def test_a_core_that_seems_idler_than_its_executions_handles_for_nothing() -> None:
    assert handling_us([BatchTime(1, 1000, 5_000_000)], 100.0, busy=0.1) == 0


def test_more_instances_on_one_core_make_each_slower() -> None:
    settings = [Batching(4, speeds=(1.0,) * count, cores=1.0) for count in (1, 2, 4)]
    slower = [slowdown(ServiceTimes(WORK_US), batching, Load(250.0)) for batching in settings]
    assert slower[0] == pytest.approx(1.0)
    assert slower[0] < slower[1] < slower[2]


def test_what_is_left_of_a_core_makes_one_instance_slower_by_as_much() -> None:
    assert slowdown(ServiceTimes(WORK_US), Batching(4, cores=0.8), Load(100.0)) == pytest.approx(1 / 0.8)


def test_what_shares_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no execution was counted"):
        handling_us([], 100.0, busy=0.5)
    with pytest.raises(ValueError, match="nothing is shared"):
        slowdown(ServiceTimes((0.0, 1.0)), Batching(1), Load(1.0))
