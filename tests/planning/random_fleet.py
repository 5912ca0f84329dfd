"""Small random placement problems as arrays."""

import numpy as np

from controller.planning.fleet.packed import URPS, PackedProblem

Dice = np.random.Generator


def random_fleet(seed: int, *, models: int = 3, pools: int = 3, start_price: float = 0.0) -> PackedProblem:
    """A problem with up to 3 demands a model and 2 resources; some demands are worth little, some pools are empty."""
    dice = np.random.default_rng(seed)
    demands = dice.integers(1, 4, models)
    first_demand = np.concatenate(([0], np.cumsum(demands)))
    worth = np.concatenate([-np.sort(-dice.choice([0.001, 0.05, 1.0], many)) for many in demands])
    counts = dice.integers(1, pools + 1, models)
    option_model = np.repeat(np.arange(models), counts)
    pool = np.concatenate([np.sort(dice.permutation(pools)[:many]) for many in counts])
    memory = dice.integers(1, 7, models)[option_model]
    urps = dice.integers(3, 30, option_model.size)
    return PackedProblem(
        pool_nodes=dice.integers(0, 3, pools),
        pool_price=dice.integers(0, 9, pools) / 4,
        pool_capacity=np.stack([dice.integers(4, 10, pools), dice.integers(1, 4, pools)], axis=1),
        first_option=np.concatenate(([0], np.cumsum(counts))),
        option_pool=pool,
        option_use=np.stack([memory, np.ones_like(memory)], axis=1),
        option_urps=urps * URPS,
        option_price=dice.integers(0, 3, option_model.size) / 16,
        option_reach=np.array([dice.integers(1, 1 << demands[model]) for model in option_model]),
        option_pair=np.arange(option_model.size),
        first_demand=first_demand,
        demand_urps=dice.integers(1, 25, first_demand[-1]) * URPS,
        demand_worth=worth / URPS,
        pair_running=dice.integers(0, 2, option_model.size),
        start_price=start_price,
    )
