"""The checker of packings refuses whatever does not hold, and shares nothing with what it judges."""

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_fleets import ONE_NODE, drawn, placed

from controller.planning.fleet import device_check
from controller.planning.fleet.device_bound import prices
from controller.planning.fleet.device_check import broken
from controller.planning.fleet.device_packing import packings
from controller.planning.fleet.devices import DEVICES, EMPTY, DevicePlan


def test_the_checker_knows_the_form_of_a_problem_and_nothing_else_of_ours() -> None:
    tree = ast.parse(Path(device_check.__file__).read_text(encoding="utf-8"))
    names = {
        (node.module, one.name) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for one in node.names
    }
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))
    ours = {(module, name) for module, name in names if module not in {"collections", "dataclasses"}}
    assert ours == {("controller.planning.fleet.devices", name) for name in ("DevicePlan", "DeviceProblem")}


@given(seed=st.integers(0, 10**6), counting=st.booleans(), data=st.data())
def test_a_good_plan_with_one_instance_more_than_there_is_room_for_is_refused(
    *, seed: int, counting: bool, data: st.DataObject
) -> None:
    problem = drawn(seed, counting=counting)
    *_, best = packings(problem, prices(problem, 1, 1), 100, 1)
    assert broken(problem, best.plan) == []
    if best.plan.instance_class.size:
        i = data.draw(st.integers(0, best.plan.instance_class.size - 1))
        twice = int(problem.class_count.max()) + 1
        again = DevicePlan(*(np.concatenate((part, np.repeat(part[i], twice))) for part in best.plan))
        assert broken(problem, again) != []
        bits = int(best.plan.instance_devices[i])
        fewer = best.plan.instance_devices.copy()
        fewer[i] = bits & (bits - 1) if bits else 1 << (problem.kind_free.shape[1] - DEVICES)
        assert broken(problem, best.plan._replace(instance_devices=fewer)) != []


@pytest.mark.parametrize(
    ("plan", "fault"),
    [
        (placed((0, 0, 0b01), (0, 0, 0b01)), "1200 of 1000 shares of device 0"),
        (placed((0, 0, 0b01), (0, 0, 0b10), (2, 0, 0b01)), "11 of 10 CPU"),
        (placed((1, 0, 0b01)), "uses 1 devices, not 2"),
        (placed((0, 0, 0b100)), "600 of 0 shares of device 2"),
        (placed((1, 0, 0b11), (1, 0, 0b11)), "2 of class 1, and there are 1"),
        (placed((0, 1, 0b01)), "no class 0, node 1 or devices 1"),
        (placed((0, -1, 0b01)), "no class 0, node -1 or devices 1"),
        (placed((3, 0, 0b01)), "no class 3, node 0 or devices 1"),
        (placed((0, 0, -1)), "no class 0, node 0 or devices -1"),
    ],
)
def test_the_checker_tells_what_does_not_hold(plan: DevicePlan, fault: str) -> None:
    assert any(fault in found for found in broken(ONE_NODE, plan))


def test_the_checker_tells_memory_that_is_not_there_and_nodes_that_are_not_allowed() -> None:
    tight = ONE_NODE._replace(kind_free=np.array([[10, 5, 1000, 1000]]), class_allowed=np.zeros((3, 1), np.bool_))
    assert broken(tight, placed((2, 0, 0b01))) == ["class 2 may not stand on node 0", "node 0: 10 of 5 memory"]
    assert broken(tight, EMPTY) == []


def test_the_checker_accepts_a_node_full_to_the_last_share() -> None:
    assert broken(ONE_NODE, placed((0, 0, 0b01), (2, 0, 0b01), (2, 0, 0b10), (2, 0, 0b10))) == []
