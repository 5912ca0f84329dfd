"""Packing instances on nodes with devices: it holds, it is as good as trying everything, and it repeats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_fleets import drawn, least_cost

from controller.planning.fleet.device_bound import prices
from controller.planning.fleet.device_check import broken
from controller.planning.fleet.device_packing import Improvement, arrived, packings
from controller.planning.fleet.device_search import ruin_and_recreate
from controller.planning.fleet.device_packing import guided
from controller.planning.fleet.device_state import emptied, plan_of, standing
from controller.planning.fleet.devices import EMPTY, DevicePlan, DeviceProblem, cost, most_held

ONE_NODE = DeviceProblem(
    np.array([1]),
    np.array([[10, 100, 1000, 1000]]),
    np.zeros(1),
    np.array([[5, 10, 1, 600], [1, 10, 2, 1000], [1, 10, 1, 400]]),
    np.array([2, 1, 3]),
    np.array([0.62, 2.02, 0.42]),
    np.ones((3, 1), np.bool_),
)


def searched(problem: DeviceProblem, steps: int, seed: int = 1) -> list[Improvement]:
    return list(packings(problem, prices(problem, 2, 3), steps, seed))


def placed(*rows: tuple[int, int, int]) -> DevicePlan:
    """Instances as (class, node, bits of devices)."""
    return DevicePlan(*(np.array(part, np.int64) for part in zip(*rows, strict=True)))


@pytest.mark.parametrize("counting", [False, True])
def test_on_small_fleets_the_search_finds_what_trying_everything_finds(counting: bool) -> None:
    for seed in range(150):
        problem = drawn(seed, counting=counting)
        best = searched(problem, 4_000)[-1]
        assert broken(problem, best.plan) == []
        assert best.cost == pytest.approx(cost(problem, best.plan))
        assert best.cost == pytest.approx(least_cost(problem)), seed


@pytest.mark.parametrize("counting", [False, True])
def test_the_bound_is_never_above_what_is_possible_with_few_or_many_packings(counting: bool) -> None:
    for seed in range(150):
        problem = drawn(seed, counting=counting)
        least = least_cost(problem)
        for roundings, rounds in ((0, 1), (3, 1), (8, 10)):
            assert prices(problem, roundings, rounds).bound <= least + 1e-6, seed


@given(st.integers(0, 10**6), st.booleans(), st.integers(0, 200))
def test_after_any_number_of_steps_a_state_holds_and_counts_what_is_free(seed: int, counting: bool, steps: int) -> None:
    problem = drawn(seed, counting=counting)
    state, guide = emptied(problem), guided(problem, prices(problem, 1, 1))
    random = np.array([seed + 1], np.uint64)
    ruin_and_recreate(state, guide, problem.kind_free, problem.class_need, problem.class_weight, guide.opening, steps, 0.3, 0.1, random)
    plan = plan_of(state)
    assert broken(problem, plan) == []
    again = standing(problem, plan)
    assert np.array_equal(again.free, state.free)
    assert np.array_equal(again.waiting, state.waiting)
    assert state.held.max() <= most_held(problem)


def test_each_plan_of_a_search_costs_less_than_the_one_before() -> None:
    costs = [found.cost for found in searched(ONE_NODE, 20_000)]
    assert costs == sorted(set(costs), reverse=True)


def test_two_searches_with_one_seed_and_as_many_steps_find_the_same_plan() -> None:
    problem = drawn(5, counting=False)
    one, other = searched(problem, 10_000)[-1], searched(problem, 10_000)[-1]
    assert all(np.array_equal(a, b) for a, b in zip(one.plan, other.plan, strict=True))
    assert one.steps == other.steps


def test_a_search_ends_with_its_time_however_many_steps_it_may_take() -> None:
    looks = iter([0.0, 0.5, 1.0])
    assert list(packings(ONE_NODE, prices(ONE_NODE, 0, 1), 10**12, 1, lambda: next(looks)))
    assert next(looks, None) is None


def test_what_arrives_is_placed_beside_what_runs_and_moves_nothing() -> None:
    running = placed((0, 0, 0b01))
    plan = arrived(ONE_NODE, prices(ONE_NODE, 0, 1), running)
    rows = set(zip(*(part.tolist() for part in plan), strict=True))
    assert (0, 0, 0b01) in rows
    assert broken(ONE_NODE, plan) == []
    assert plan.instance_class.size > 1


def test_a_fleet_without_devices_is_packed_by_cpu_and_memory() -> None:
    problem = DeviceProblem(
        np.array([3]),
        np.array([[10, 10]]),
        np.ones(1),
        np.array([[6, 1, 0, 0], [4, 9, 0, 0]]),
        np.array([2, 2]),
        np.array([9.0, 9.0]),
        np.ones((2, 1), np.bool_),
    )
    assert searched(problem, 2_000)[-1].cost == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("plan", "fault"),
    [
        (placed((0, 0, 0b01), (0, 0, 0b01)), "1200 of 1000 shares of device 0"),
        (placed((0, 0, 0b01), (0, 0, 0b10), (2, 0, 0b01)), "11 of 10 CPU"),
        (placed((1, 0, 0b01)), "uses 1 devices, not 2"),
        (placed((0, 0, 0b100)), "600 of 0 shares of device 2"),
        (placed((1, 0, 0b11), (1, 0, 0b11)), "2 of class 1, and there are 1"),
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
