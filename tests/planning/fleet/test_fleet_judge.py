import numpy as np
import pytest

from controller.planning.fleet.judge import judge
from controller.planning.fleet.packed import PackedPlan, PackedProblem

# One model with two demands (20 and 10 requests/s), which cost 2 and 1 $/h for each request/s not served. Option 0
# reaches both from pool 0 (two nodes of 8 units), option 1 the second only from pool 1 (one node of 4).
PROBLEM = PackedProblem(
    pool_nodes=np.array([2, 1]),
    pool_price=np.array([1.0, 0.5]),
    pool_capacity=np.array([[8], [4]]),
    first_option=np.array([0, 2]),
    option_pool=np.array([0, 1]),
    option_use=np.array([[4], [4]]),
    option_urps=np.array([12_000_000, 5_000_000]),
    option_price=np.array([0.1, 0.2]),
    option_reach=np.array([0b11, 0b10]),
    option_pair=np.array([0, 1]),
    first_demand=np.array([0, 2]),
    demand_urps=np.array([20_000_000, 10_000_000]),
    demand_worth=np.array([2e-6, 1e-6]),
    pair_running=np.array([1, 0]),
    start_price=0.25,
)


def plan(*placed: tuple[int, int]) -> PackedPlan:
    listed = np.array(placed, np.int64).reshape(-1, 2)
    return PackedPlan(listed[:, 0], listed[:, 1])


def test_costs_are_those_worked_out_by_hand() -> None:
    verdict = judge(PROBLEM, plan((0, 0), (0, 0), (1, 2)))
    assert verdict.broken == ()
    assert verdict.nodes == pytest.approx(1.5)
    assert verdict.instances == pytest.approx(0.4)
    assert verdict.starts == pytest.approx(0.5)
    # 24 of option 0 serve the first demand and 4 of the second, option 1 serves 5: one request/s is left.
    assert verdict.unserved == pytest.approx(1.0)
    assert verdict.cost == pytest.approx(3.4)


def test_nothing_placed_serves_nothing() -> None:
    assert judge(PROBLEM, plan()).cost == pytest.approx(50.0)


def test_the_dearest_demand_is_served_first() -> None:
    assert judge(PROBLEM, plan((0, 1))).unserved == pytest.approx(8 * 2.0 + 10 * 1.0)


@pytest.mark.parametrize(
    ("placed", "sentence"),
    [
        ([(0, 0), (0, 0), (0, 0)], "node 0 has 8 of resource 0, 12 are taken"),
        ([(0, 2)], "option 0 is of pool 0, node 2 of 1"),
        ([(2, 0)], "option 2 is not known"),
        ([(0, 3)], "node 3 is not known"),
        ([(-1, 0)], "option -1 is not known"),
    ],
)
def test_what_cannot_stand_is_said(placed: list[tuple[int, int]], sentence: str) -> None:
    assert sentence in judge(PROBLEM, plan(*placed)).broken


def test_a_node_may_be_full_to_the_last_unit() -> None:
    assert judge(PROBLEM, plan((0, 0), (0, 0), (0, 1), (0, 1), (1, 2))).broken == ()
