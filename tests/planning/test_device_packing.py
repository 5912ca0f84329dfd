"""Packing instances on nodes with devices: it holds, it is as good as trying everything, and it repeats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_fleets import ONE_NODE, drawn, least_cost, placed

from controller.planning.fleet.device_bound import prices
from controller.planning.fleet.device_check import broken
from controller.planning.fleet.device_guide import guided
from controller.planning.fleet.device_packing import Improvement, arrived, packings
from controller.planning.fleet.device_search import ruin_and_recreate
from controller.planning.fleet.device_state import emptied, plan_of, standing
from controller.planning.fleet.devices import DeviceProblem, cost, most_held


def searched(problem: DeviceProblem, steps: int, seed: int = 1) -> list[Improvement]:
    return list(packings(problem, prices(problem, 2, 3), steps, seed))


@pytest.mark.parametrize("counting", [False, True])
def test_on_small_fleets_the_search_finds_what_trying_everything_finds(*, counting: bool) -> None:
    for seed in range(150):
        problem = drawn(seed, counting=counting)
        best = searched(problem, 4_000)[-1]
        assert broken(problem, best.plan) == []
        assert best.cost == pytest.approx(cost(problem, best.plan))
        assert best.cost == pytest.approx(least_cost(problem)), seed


@pytest.mark.parametrize("counting", [False, True])
def test_the_bound_is_never_above_what_is_possible_with_few_or_many_packings(*, counting: bool) -> None:
    for seed in range(150):
        problem = drawn(seed, counting=counting)
        least = least_cost(problem)
        for roundings, rounds in ((0, 1), (3, 1), (8, 10)):
            assert prices(problem, roundings, rounds).bound <= least + 1e-6, seed


@given(seed=st.integers(0, 10**6), counting=st.booleans(), steps=st.integers(0, 200))
def test_after_any_number_of_steps_a_state_holds_and_counts_what_is_free(
    *, seed: int, counting: bool, steps: int
) -> None:
    problem = drawn(seed, counting=counting)
    state, guide = emptied(problem), guided(problem, prices(problem, 1, 1))
    random = np.array([seed + 1], np.uint64)
    ruin_and_recreate(
        state,
        guide,
        problem.kind_free,
        problem.class_need,
        problem.class_weight,
        guide.opening,
        steps,
        0.3,
        0.1,
        random,
    )
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
