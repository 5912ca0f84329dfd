"""Small fleets with devices, drawn at random, and the least that any placement on them costs, by trying all."""

import random
from functools import cache
from itertools import combinations

import numpy as np

from controller.planning.fleet.devices import DevicePlan, DeviceProblem

Node = tuple[int, ...]

ONE_NODE = DeviceProblem(
    np.array([1]),
    np.array([[10, 100, 1000, 1000]]),
    np.zeros(1),
    np.array([[5, 10, 1, 600], [1, 10, 2, 1000], [1, 10, 1, 400]]),
    np.array([2, 1, 3]),
    np.array([0.62, 2.02, 0.42]),
    np.ones((3, 1), np.bool_),
)


def placed(*rows: tuple[int, int, int]) -> DevicePlan:
    """Instances as (class, node, bits of devices)."""
    return DevicePlan(*(np.array(part, np.int64) for part in zip(*rows, strict=True)))


def drawn(seed: int, *, counting: bool) -> DeviceProblem:
    """Up to four nodes of two kinds and up to six instances; `counting` gives nodes prices and has all placed."""
    one = random.Random(seed)  # noqa: S311 - a test draws it again from its seed
    kinds, classes = one.randint(1, 2), one.randint(1, 4)
    devices = [one.randint(0, 2) for _ in range(kinds)]
    free = [[one.randint(4, 10), one.randint(4, 10)] + [1000] * n + [0] * (2 - n) for n in devices]
    need = [[one.randint(1, 5), one.randint(0, 5), *one.choice(WANTED)] for _ in range(classes)]
    weight = [10.0] * classes if counting else [devices * share / 1000 + 0.02 for _, _, devices, share in need]
    return DeviceProblem(
        np.array([one.randint(1, 2) for _ in range(kinds)]),
        np.array(free),
        np.array([one.choice((1.0, 1.0, 1.5)) if counting else 0.0 for _ in range(kinds)]),
        np.array(need),
        np.array([one.randint(1, 2) for _ in range(classes)]),
        np.array(weight),
        np.array([[one.random() < ALLOWED for _ in range(kinds)] for _ in range(classes)]),
    )


ALLOWED = 0.8
WANTED = [(0, 0), (1, 1000), (2, 1000), (1, 500), (1, 340), (1, 660), (1, 810), (2, 300)]


def least_cost(problem: DeviceProblem) -> float:
    """By trying every place of every instance; nodes of a kind in the same state are the same place."""
    kinds = [kind for kind, n in enumerate(problem.kind_nodes.tolist()) for _ in range(n)]
    empty = [tuple(row) for row in problem.kind_free.tolist()]
    instances = [one for one, n in enumerate(problem.class_count.tolist()) for _ in range(n)]
    needs, weights = problem.class_need.tolist(), problem.class_weight.tolist()
    allowed, prices = problem.class_allowed.tolist(), problem.kind_price.tolist()

    @cache
    def least(i: int, nodes: tuple[tuple[int, Node], ...]) -> float:
        if i == len(instances):
            return sum(prices[kind] for kind, free in nodes if free != empty[kind])
        best = weights[instances[i]] + least(i + 1, nodes)
        for at in {node: at for at, node in enumerate(nodes)}.values():
            kind, free = nodes[at]
            if allowed[instances[i]][kind]:
                for after in stood(free, needs[instances[i]]):
                    changed = tuple(sorted((*nodes[:at], (kind, after), *nodes[at + 1 :])))
                    best = min(best, least(i + 1, changed))
        return best

    return least(0, tuple(sorted((kind, empty[kind]) for kind in kinds)))


def stood(free: Node, need: list[int]) -> list[Node]:
    """What a node may look like with one more instance on it."""
    cpu, memory, devices, share = need
    if free[0] < cpu or free[1] < memory:
        return []
    wide = [device for device, left in enumerate(free[2:]) if left >= share]
    return [
        (free[0] - cpu, free[1] - memory, *(left - share * (device in used) for device, left in enumerate(free[2:])))
        for used in combinations(wide, devices)
    ]
