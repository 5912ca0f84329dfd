import numpy as np
import pytest
from tiny_fleets import TASTES, least_cost, tiny_fleet

from controller.planning.fleet.merged_pools import merged
from controller.planning.fleet.packed import PackedProblem

TRIES = 12


def alike(problem: PackedProblem) -> PackedProblem:
    """The same with all nodes like those of the first pool."""
    return problem._replace(
        pool_price=np.full_like(problem.pool_price, problem.pool_price[0]),
        pool_capacity=np.tile(problem.pool_capacity[:1], (problem.pool_nodes.size, 1)),
    )


TWO_POOLS = PackedProblem(
    pool_nodes=np.array([1, 1]),
    pool_price=np.array([1.0, 1.0]),
    pool_capacity=np.array([[4], [4]]),
    first_option=np.array([0, 1, 2]),
    option_pool=np.array([0, 1]),
    option_use=np.array([[2], [2]]),
    option_urps=np.array([10, 10]),
    option_price=np.array([0.25, 0.25]),
    option_reach=np.array([1, 1]),
    option_pair=np.array([0, 1]),
    first_demand=np.array([0, 1, 2]),
    demand_urps=np.array([10, 10]),
    demand_worth=np.array([5.0, 5.0]),
    pair_running=np.array([0, 0]),
    start_price=0.0,
)
"""Two models with a demand each, which one of two pools reaches; an instance takes half of a pool's only node."""
ONE_MODEL = TWO_POOLS._replace(first_option=np.array([0, 2, 2]))


@pytest.mark.parametrize("taste", TASTES)
def test_no_plan_of_a_tiny_fleet_is_cheaper_than_the_best_one_for_merged_pools(taste: str) -> None:
    rng = np.random.default_rng(4)
    fleets = [alike(tiny_fleet(rng, TASTES[taste])) for _ in range(TRIES)]
    costs = [(least_cost(one), least_cost(fleet)) for fleet in fleets if (one := merged(fleet))]
    assert costs
    assert all(relaxed <= least + 1e-9 for relaxed, least in costs)
    assert any(relaxed == pytest.approx(least) and least > 0 for relaxed, least in costs)


def test_merged_pools_forget_only_that_what_shares_a_node_stands_in_one_place() -> None:
    one = merged(TWO_POOLS)
    assert one is not None
    assert one.pool_nodes.tolist() == [2]
    assert least_cost(TWO_POOLS) == pytest.approx(2.5)
    assert least_cost(one) == pytest.approx(1.5)


def test_what_runs_on_merged_pools_runs_on_the_one_that_they_are() -> None:
    one = merged(ONE_MODEL._replace(option_urps=np.array([10, 20]), pair_running=np.array([2, 1]), start_price=1.0))
    assert one is not None
    assert one.option_pair.tolist() == [0]
    assert one.pair_running.tolist() == [3]


@pytest.mark.parametrize(
    ("fleet", "left"),
    [
        (ONE_MODEL, [10]),
        (ONE_MODEL._replace(option_urps=np.array([10, 20])), [20]),
        (ONE_MODEL._replace(option_urps=np.array([10, 20]), option_price=np.array([0.125, 0.25])), [10, 20]),
        (ONE_MODEL._replace(option_urps=np.array([10, 20]), option_use=np.array([[1], [2]])), [10, 20]),
        (ONE_MODEL._replace(option_reach=np.array([0, 1])), [10]),
        (ONE_MODEL._replace(option_reach=np.array([1, 2]), first_demand=np.array([0, 2, 2])), [10, 10]),
    ],
)
def test_of_options_on_merged_pools_only_those_are_left_that_no_other_one_beats(
    fleet: PackedProblem, left: list[int]
) -> None:
    one = merged(fleet)
    assert one is not None
    assert one.option_urps.tolist() == left
    assert one.first_option.tolist() == [0, len(left), len(left)]


def test_where_no_two_pools_have_the_same_nodes_nothing_is_merged() -> None:
    assert merged(TWO_POOLS._replace(pool_price=np.array([1.0, 1.5]))) is None
    assert merged(TWO_POOLS._replace(pool_capacity=np.array([[4], [5]]))) is None
