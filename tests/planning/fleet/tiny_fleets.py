"""Random fleets so small that everything can be tried, and trying everything."""

import itertools
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from controller.planning.fleet.packed import PackedPlan, PackedProblem

RATE_URPS = 100


class Taste(NamedTuple):
    """What sort of tiny fleet."""

    resources: tuple[int, ...] = (1, 2, 3)
    nodes: tuple[int, ...] = (0, 1, 2, 3)
    start_prices: tuple[float, ...] = (0.0,)
    penalties: tuple[float, ...] = (0.5, 2.0, 20.0)
    slots: bool = False
    twins: bool = False


TASTES = {
    "plain": Taste(),
    "slots": Taste(resources=(2, 3), slots=True),
    "starts": Taste(start_prices=(0.1, 1.5)),
    "not worth serving": Taste(penalties=(0.01, 0.2, 1.0)),
    "no room": Taste(nodes=(0, 0, 1)),
    "identical models": Taste(twins=True, start_prices=(0.0, 0.4)),
    "several resources": Taste(resources=(3, 4), start_prices=(0.0, 0.4)),
}


def tiny_fleet(rng: np.random.Generator, taste: Taste) -> PackedProblem:
    pools, resources = int(rng.integers(1, 4)), int(rng.choice(taste.resources))
    models = int(rng.integers(1, 4))
    options = [int(rng.integers(0, 4 if models < 3 else 3)) for _ in range(models)]
    demands = [int(rng.integers(1, 4)) for _ in range(models)]
    if taste.twins:
        options, demands = [options[0]] * models, [demands[0]] * models
    made = [_model(rng, taste, (pools, resources), *counts) for counts in zip(options, demands, strict=True)]
    if taste.twins:
        made = [made[0]] * models
    option_pool = np.concatenate([model["pool"] for model in made])
    owner = np.repeat(np.arange(models), options)
    _, pair = np.unique(owner * pools + option_pool, return_inverse=True)
    return PackedProblem(
        pool_nodes=rng.choice(taste.nodes, pools).astype(np.int64),
        pool_price=rng.integers(0, 20, pools) / 4,
        pool_capacity=rng.integers(3, 10, (pools, resources)),
        first_option=np.concatenate(([0], np.cumsum(options))),
        option_pool=option_pool,
        option_use=np.concatenate([model["use"] for model in made]),
        option_urps=np.concatenate([model["urps"] for model in made]),
        option_price=np.concatenate([model["price"] for model in made]),
        option_reach=np.concatenate([model["reach"] for model in made]),
        option_pair=pair.astype(np.int64),
        first_demand=np.concatenate(([0], np.cumsum(demands))),
        demand_urps=np.concatenate([model["asked"] for model in made]),
        demand_worth=np.concatenate([model["worth"] for model in made]),
        pair_running=rng.integers(0, 3, int(pair.max(initial=-1)) + 1),
        start_price=float(rng.choice(taste.start_prices)),
    )


def _model(
    rng: np.random.Generator, taste: Taste, sizes: tuple[int, int], options: int, demands: int
) -> dict[str, np.ndarray]:
    pools, resources = sizes
    asked = rng.integers(0, 26, demands) * RATE_URPS
    worth = np.sort(rng.choice(taste.penalties, demands) / np.maximum(asked, RATE_URPS))[::-1]
    use = rng.integers(0, 7, (options, resources))
    if taste.slots:
        use[:, 0] = 1
    return {
        "pool": rng.integers(0, pools, options),
        "use": use,
        "urps": rng.integers(25, 60, options) * RATE_URPS,
        "price": rng.integers(0, 4, options) / 10,
        "reach": rng.integers(0, 1 << demands, options),
        "asked": asked,
        "worth": worth,
    }


def least_cost(problem: PackedProblem) -> float:
    """Of all numbers of instances by option, with the fewest nodes that hold them."""
    ways = [_ways(problem, model) for model in range(problem.first_option.size - 1)]
    best = np.inf
    for chosen in itertools.product(*ways):
        cost = sum(way[1] for way in chosen)
        if cost < best:
            held = sorted(itertools.chain.from_iterable(way[0] for way in chosen))
            best = min(best, cost + _node_cost(problem, held))
    return float(best)


def _ways(problem: PackedProblem, model: int) -> list[tuple[list[int], float]]:
    """Which options' instances a model may have, and what that costs beside nodes."""
    options = range(problem.first_option[model], problem.first_option[model + 1])
    demands = slice(problem.first_demand[model], problem.first_demand[model + 1])
    asked, worth = problem.demand_urps[demands].tolist(), problem.demand_worth[demands].tolist()
    ways = []
    most = [-(-sum(asked) // int(problem.option_urps[option])) for option in options]
    for counts in itertools.product(*(range(each + 1) for each in most)):
        held = [option for option, count in zip(options, counts, strict=True) for _ in range(count)]
        offers = [(int(problem.option_urps[option]), int(problem.option_reach[option])) for option in held]
        pairs = np.bincount(problem.option_pair[held], minlength=problem.pair_running.size) if held else 0
        starts = int(np.maximum(pairs - problem.pair_running, 0).sum())
        cost = sum(problem.option_price[option] for option in held) + problem.start_price * starts
        ways.append((held, float(cost) + _lost(asked, worth, offers)))
    return sorted(ways, key=lambda way: way[1])


def _lost(asked: list[int], worth: list[float], offers: list[tuple[int, int]]) -> float:
    """What it costs that not all is served, when the dearest demand is served first, moving others aside for it."""
    left = [urps for urps, _ in offers]
    flow = [[0] * len(offers) for _ in asked]
    cost = 0.0
    for demand, urps in enumerate(asked):
        need = urps
        while need and (path := _augmenting(demand, left, flow, offers)):
            amount = min([need, left[path[-1][1]], *(flow[to][via] for via, to in _backward(path))])
            for via, to in _backward(path):
                flow[to][via] -= amount
            for at, via in path:
                flow[at][via] += amount
            left[path[-1][1]] -= amount
            need -= amount
        cost += worth[demand] * need
    return cost


def _augmenting(
    demand: int, left: list[int], flow: list[list[int]], offers: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Demand and offer in turn, from the demand to an offer that has something left; nothing when there is no way."""
    queue: list[list[tuple[int, int]]] = [
        [(demand, offer)] for offer in range(len(offers)) if offers[offer][1] >> demand & 1
    ]
    seen = {demand}
    while queue:
        path = queue.pop(0)
        offer = path[-1][1]
        if left[offer]:
            return path
        for other, shares in enumerate(flow):
            if shares[offer] and other not in seen:
                seen.add(other)
                queue += [
                    [*path, (other, to)] for to in range(len(offers)) if offers[to][1] >> other & 1 and to != offer
                ]
    return []


def _backward(path: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Which offer each further demand of a path gives up."""
    return [(before[1], after[0]) for before, after in itertools.pairwise(path)]


def _node_cost(problem: PackedProblem, held: list[int]) -> float:
    cost = 0.0
    for pool, group in itertools.groupby(
        sorted(held, key=lambda option: problem.option_pool[option]), key=lambda option: problem.option_pool[option]
    ):
        uses = tuple(sorted((tuple(problem.option_use[option].tolist()) for option in group), reverse=True))
        needed = _fewest_nodes(uses, tuple(problem.pool_capacity[pool].tolist()), int(problem.pool_nodes[pool]))
        cost += needed * float(problem.pool_price[pool]) if needed is not None else np.inf
    return cost


@lru_cache(maxsize=100_000)
def _fewest_nodes(uses: tuple[tuple[int, ...], ...], has: tuple[int, ...], nodes: int) -> int | None:
    for count in range(1, nodes + 1):
        if _packs(uses, [has] * count):
            return count
    return None


def _packs(uses: tuple[tuple[int, ...], ...], left: list[tuple[int, ...]]) -> bool:
    if not uses:
        return True
    for node in {room: at for at, room in enumerate(left)}.values():
        room = tuple(has - takes for has, takes in zip(left[node], uses[0], strict=True))
        if min(room) >= 0 and _packs(uses[1:], [*left[:node], room, *left[node + 1 :]]):
            return True
    return False


def some_plan(rng: np.random.Generator, problem: PackedProblem) -> PackedPlan:
    """Instances put at random where they fit."""
    left = np.repeat(problem.pool_capacity, problem.pool_nodes, axis=0)
    owner = np.repeat(np.arange(problem.pool_nodes.size), problem.pool_nodes)
    placed = []
    for option in rng.integers(0, problem.option_pool.size, 6).tolist() if problem.option_pool.size else ():
        fits = np.flatnonzero((owner == problem.option_pool[option]) & (left >= problem.option_use[option]).all(axis=1))
        if fits.size:
            node = int(rng.choice(fits))
            left[node] -= problem.option_use[option]
            placed.append((option, node))
    listed = np.array(placed, np.int64).reshape(-1, 2)
    return PackedPlan(listed[:, 0], listed[:, 1])
