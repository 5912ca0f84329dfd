"""The least that any plan of a tiny instance of the reference format costs, by trying every one.

It reads the instance alone and shares nothing with any engine: each pool's nodes are filled in every way, the
ways of all pools are combined, and for each combination the requests that must stay unserved are counted, dearest
served first.
"""

import itertools
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

QUEUEING: Final = 1.15
IN_TIME_MS: Final = 1e-6
WHOLE: Final = 1e-9
"""Of a GB: sums of decimals."""


class Ways(NamedTuple):
    """All that a pool may hold: W ways, of which one row each."""

    counts: Ints
    """[W, models, tiers]: instances."""
    cost: Floats
    """[W]: dollars an hour of nodes, instances and starts."""


def least_cost(raw: dict[str, Any], previous: dict[str, Any] | None = None) -> float:
    """Dollars an hour, starts included where a plan runs."""
    ways = [_ways(raw, pool, previous) for pool in raw["pools"]]
    total: Floats = np.zeros([1] * len(ways))
    for axis, way in enumerate(ways):
        total = total + along(way.cost, axis, len(ways))
    for model in raw["models"]:
        total = total + _unserved(raw, model, ways)
    return float(total.min())


def along(values: Any, axis: int, axes: int) -> Any:
    """Values along one of several axes."""
    return values.reshape([-1 if each == axis else 1 for each in range(axes)])


def _ways(raw: dict[str, Any], pool: dict[str, Any], previous: dict[str, Any] | None) -> Ways:
    """Every number of instances that some of the pool's nodes can hold, on the fewest nodes that do."""
    models, tiers = len(raw["models"]), len(raw["params"]["tiers_util"])
    contents = [np.bincount(held, minlength=models * tiers) for held in _contents(raw, pool)]
    fewest: dict[tuple[int, ...], int] = {}
    for nodes in range(pool["count"] + 1):
        for held in itertools.combinations_with_replacement(contents, nodes):
            fewest.setdefault(tuple(sum(held, np.zeros(models * tiers, np.int64)).tolist()), nodes)
    counts = np.array(list(fewest), np.int64).reshape(-1, models, tiers)
    cost = pool["price"] * np.array(list(fewest.values())) + raw["params"]["instance_cost"] * counts.sum(axis=(1, 2))
    if previous is not None:
        ran = np.zeros(models, np.int64)
        for number, placed in previous["nodes"]:
            for model, _ in placed:
                ran[model] += number == pool["id"]
        cost = cost + raw["params"]["churn_cost"] * np.maximum(0, counts.sum(axis=2) - ran).sum(axis=1)
    return Ways(counts, cost)


def _contents(raw: dict[str, Any], pool: dict[str, Any]) -> list[list[int]]:
    """What one node of the pool may hold, at least one instance, each as model * tiers + tier."""
    device = next(item for item in raw["devices"] if item["name"] == pool["device"])
    tiers = len(raw["params"]["tiers_util"])
    allowed = [
        model["id"] * tiers + tier
        for model in raw["models"]
        for tier in range(tiers)
        if model["certs"] & pool["certs"] == model["certs"]
    ]
    return [
        list(held)
        for many in range(1, device["max_share"] + 1)
        for held in itertools.combinations_with_replacement(allowed, many)
        if sum(raw["models"][each // tiers]["mem_gb"] for each in held) <= device["mem_gb"] + WHOLE
    ]


def _unserved(raw: dict[str, Any], model: dict[str, Any], ways: list[Ways]) -> Any:
    """What a model's unserved requests cost, for each combination of the pools' ways.

    The first k demands can be served up to the least of asked(those not in T) + offered(to any in T), over all T among
    them (Gale 1957); serving the dearest first is best (Edmonds 1970), so demand k adds what that grows by.
    """
    demands = [demand for demand in raw["demands"] if demand["model"] == model["id"]]
    demands.sort(key=lambda demand: -demand["penalty"] / demand["rate"])
    offered = [_offered(raw, model, demands, pool, way) for pool, way in zip(raw["pools"], ways, strict=True)]
    together = [
        sum(along(offers[:, subset], axis, len(ways)) for axis, offers in enumerate(offered))
        for subset in range(1 << len(demands))
    ]
    cost, before = 0.0, 0.0
    for first, demand in enumerate(demands, start=1):
        served: Any = np.inf
        for subset in range(1 << first):
            outside = sum(each["rate"] for at, each in enumerate(demands[:first]) if not subset >> at & 1)
            served = np.minimum(served, outside + together[subset])
        cost = cost + demand["penalty"] * (1 - (served - before) / demand["rate"])
        before = served
    return cost


def _offered(
    raw: dict[str, Any], model: dict[str, Any], demands: list[dict[str, Any]], pool: dict[str, Any], way: Ways
) -> Floats:
    """[W, subsets]: requests a second that the pool's instances can answer to any demand of a subset."""
    scale = next(item["scale"] for item in raw["devices"] if item["name"] == pool["device"])
    offered = np.zeros((len(way.cost), 1 << len(demands)))
    for tier, busy in enumerate(raw["params"]["tiers_util"]):
        latency_ms = model["base_ms"] * scale * (1 + QUEUEING * busy / (1 - busy))
        rate = 1000 * busy / (model["base_ms"] * scale)
        reached = [
            raw["rtt_ms"][demand["origin"]][pool["site"]] + latency_ms <= model["slo_ms"] + IN_TIME_MS
            for demand in demands
        ]
        for subset in range(1 << len(demands)):
            if any(reaches and subset >> at & 1 for at, reaches in enumerate(reached)):
                offered[:, subset] += rate * way.counts[:, model["id"], tier]
    return offered
