from itertools import pairwise

import numpy as np
import pytest
from fleets_to_bound import least_cost, model_cost, tiny_fleet

from controller.planning.fleet.bound import Bound
from controller.planning.fleet.packed import URPS, PackedProblem


def proven(problem: PackedProblem, rounds: int = 8) -> float:
    bound = Bound(problem)
    for _ in range(rounds):
        bound.improve()
    return bound.proven


def random_fleet(seed: int, models: int, pools: int) -> PackedProblem:
    """Sites whose options reach what is near; room for all, six sizes of models, three demands each."""
    draw = np.random.default_rng(seed)
    reach = draw.random((models, pools, 3)) < 0.4
    model, pool = np.nonzero(reach.any(axis=2))
    memory, speed = draw.choice([1, 2, 4, 8, 14, 24], models), draw.uniform(20, 100, models)
    fast = draw.uniform(0.5, 3, pools)
    worth = draw.uniform(1, 5, (models, 1)) / URPS * np.ones(3)
    return PackedProblem(
        pool_nodes=draw.integers(2, 20, pools),
        pool_price=draw.uniform(0.3, 1, pools) * fast,
        pool_capacity=np.stack((draw.choice([24, 32], pools), np.full(pools, 4)), 1),
        first_option=np.searchsorted(model, np.arange(models + 1)),
        option_pool=pool,
        option_use=np.stack((memory[model], np.ones(model.size, np.int64)), 1),
        option_urps=(speed[model] * fast[pool] * URPS).astype(np.int64),
        option_price=np.full(model.size, 0.001),
        option_reach=reach[model, pool] @ (1 << np.arange(3)),
        option_pair=np.arange(model.size),
        first_demand=np.arange(models + 1) * 3,
        demand_urps=(draw.uniform(10, 120, 3 * models) * URPS).astype(np.int64),
        demand_worth=worth.reshape(-1),
        pair_running=np.zeros(model.size, np.int64),
        start_price=0.0,
    )


def greedy_cost(problem: PackedProblem) -> float:
    """What a plan costs in which every model buys nodes of its own, as long as there are any and they pay."""
    left, total = problem.pool_nodes.copy(), 0.0
    price = problem.option_price + problem.pool_price[problem.option_pool]
    for model in range(problem.first_option.size - 1):
        options = np.arange(problem.first_option[model], problem.first_option[model + 1])
        counts = np.zeros(options.size, np.int64)
        cost = model_cost(problem, model, counts)
        while True:
            more = np.flatnonzero(left[problem.option_pool[options]] > 0)
            bought = {at: counts + (np.arange(options.size) == at) for at in more}
            ways = [(float(one @ price[options]) + model_cost(problem, model, one), at) for at, one in bought.items()]
            cheapest, at = min(ways, default=(np.inf, -1))
            if cheapest >= cost:
                break
            cost, counts = cheapest, bought[at]
            left[problem.option_pool[options[at]]] -= 1
        total += cost
    return total


@pytest.mark.parametrize("block", range(6))
def test_no_plan_of_a_tiny_fleet_costs_less_than_the_bound(block: int) -> None:
    for seed in range(50 * block, 50 * block + 50):
        fleet = tiny_fleet(seed)
        assert proven(fleet) <= least_cost(fleet), seed


@pytest.mark.long
@pytest.mark.parametrize("block", range(10))
def test_no_plan_of_many_tiny_fleets_costs_less_than_the_bound(block: int) -> None:
    for seed in range(1_000 + 100 * block, 1_100 + 100 * block):
        fleet = tiny_fleet(seed, models=1 + seed % 3)
        assert proven(fleet) <= least_cost(fleet), seed


def test_the_bound_of_tiny_fleets_is_near_what_their_best_plans_cost() -> None:
    fleets = [tiny_fleet(seed) for seed in range(100)]
    assert sum(map(proven, fleets)) >= 0.9 * sum(map(least_cost, fleets))


def test_searches_that_are_stopped_early_prove_less_and_nothing_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    fleets = [tiny_fleet(seed, models=1) for seed in range(400, 440)]
    whole = [proven(fleet) for fleet in fleets]
    for name in ("LOOKS", "MOST_LOOKS"):
        monkeypatch.setattr(f"controller.planning.fleet.bound.{name}", 8)
    stopped = [proven(fleet) for fleet in fleets]
    assert sum(stopped) < 0.999 * sum(whole)
    for fleet, bound in zip(fleets, stopped, strict=True):
        assert bound <= least_cost(fleet)


@pytest.mark.parametrize("block", range(4))
def test_where_instances_fill_nodes_and_nodes_abound_the_bound_is_what_the_best_plan_costs(block: int) -> None:
    for seed in range(40 * block, 40 * block + 40):
        fleet = tiny_fleet(seed, own_nodes=True)
        assert proven(fleet, rounds=1) == pytest.approx(least_cost(fleet, most_nodes=4), rel=2e-4, abs=1e-9), seed


def test_rounds_raise_the_bound_and_never_above_a_plan() -> None:
    fleet = random_fleet(3, models=40, pools=15)
    bound = Bound(fleet)
    bounds = [bound.improve() for _ in range(40)]
    assert all(later >= earlier for earlier, later in pairwise(bounds))
    assert bounds[0] < bounds[9] < bounds[-1] <= greedy_cost(fleet)


def test_the_same_rounds_prove_the_same() -> None:
    fleet = random_fleet(4, models=20, pools=10)
    assert proven(fleet) == proven(fleet)


def test_a_fleet_without_nodes_serves_nothing() -> None:
    fleet = random_fleet(5, models=5, pools=3)
    nothing = float(fleet.demand_urps @ fleet.demand_worth)
    without = fleet._replace(pool_nodes=np.zeros(3, np.int64))
    assert proven(without, rounds=1) == pytest.approx(nothing, rel=1e-8)
    assert proven(without) <= nothing
