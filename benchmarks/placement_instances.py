"""Instances and plans of the reference format for placement (`slo-place/1`, `slo-plan/1`) as the product's arrays.

An option is a model on a pool at a utilisation tier, and reaches the demands whose round trip and latency stay within
the objective. For one pool a tighter tier is kept only where it reaches more demands, since it answers fewer requests.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.packed import (
    MOST_DEMANDS,
    URPS,
    Floats,
    Ints,
    PackedPlan,
    PackedProblem,
    first_nodes,
)
from controller.planning.fleet.routing import routes

QUEUEING: Final = 1.15
"""Latency is base * (1 + 1.15 u / (1 - u)) at a utilisation u."""
UNITS_GB: Final = 1e6
"""Memory is counted in so many parts of a GB."""
ROUNDING: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Instance:
    """A problem, with what is needed to write its plan down."""

    problem: PackedProblem
    option_tier: Ints
    option_model: Ints
    demand_number: Ints
    """[D]: the number that the file gives each demand."""
    raw: dict[str, Any]


def read(path: Path) -> dict[str, Any]:
    """The parsed file."""
    with path.open(encoding="utf-8") as file:
        parsed: dict[str, Any] = json.load(file)
    return parsed


class Models(NamedTuple):
    """Of each model: time at no load, objective, certifications it wants, memory in GB, and its first demand."""

    base_ms: Floats
    slo_ms: Floats
    certs: Ints
    memory: Floats
    first_demand: Ints


class Pools(NamedTuple):
    """Of each pool: certifications it has, and of its device how slow it is and its memory in GB."""

    certs: Ints
    scale: Floats
    memory: Floats


def packed(raw: dict[str, Any], previous: dict[str, Any] | None = None) -> Instance:
    """A parsed instance as arrays; with the plan that was running, starts have a price."""
    demands, params = raw["demands"], raw["params"]
    order = sorted(range(len(demands)), key=lambda at: (demands[at]["model"], -_worth(demands[at]), at))
    models, pools = _models(raw, [demands[at]["model"] for at in order]), _pools(raw)
    rtt_ms = np.asarray(raw["rtt_ms"], float)[[demands[at]["origin"] for at in order]]
    rtt_ms = np.ascontiguousarray(rtt_ms[:, [pool["site"] for pool in raw["pools"]]])
    tiers = np.asarray(params["tiers_util"], float)
    model, pool, tier, reach = _options(tiers, models, pools, rtt_ms)
    pair = model * pools.scale.size + pool
    begins = np.diff(pair, prepend=-1) > 0
    pairs, pair_of = pair[begins], np.cumsum(begins) - 1
    memory = np.ceil(models.memory * UNITS_GB - ROUNDING).astype(np.int64)
    devices = {item["name"]: item for item in raw["devices"]}
    slots = np.array([devices[item["device"]]["max_share"] for item in raw["pools"]], np.int64)
    problem = PackedProblem(
        pool_nodes=np.array([item["count"] for item in raw["pools"]], np.int64),
        pool_price=np.array([item["price"] for item in raw["pools"]], float),
        pool_capacity=np.stack([np.rint(pools.memory * UNITS_GB).astype(np.int64), slots], axis=1),
        first_option=np.searchsorted(model, np.arange(models.base_ms.size + 1)),
        option_pool=pool,
        option_use=np.stack([memory[model], np.ones_like(model)], axis=1),
        option_urps=np.floor(URPS * 1000 * tiers[tier] / (models.base_ms[model] * pools.scale[pool])).astype(np.int64),
        option_price=np.full(model.size, float(params["instance_cost"])),
        option_reach=reach,
        option_pair=pair_of,
        first_demand=models.first_demand,
        demand_urps=np.ceil([URPS * demands[at]["rate"] for at in order]).astype(np.int64),
        demand_worth=np.array([_worth(demands[at]) for at in order], float) / URPS,
        pair_running=_running(pairs, pools.scale.size, previous),
        start_price=float(params.get("churn_cost", 0.0)) if previous else 0.0,
    )
    return Instance(problem, tier, model, np.array(order, np.int64), raw)


def _models(raw: dict[str, Any], of_demands: list[int]) -> Models:
    models = raw["models"]
    first_demand = np.searchsorted(of_demands, np.arange(len(models) + 1))
    if int(np.diff(first_demand).max(initial=0)) > MOST_DEMANDS:
        raise SystemExit(f"error: a model has more than {MOST_DEMANDS} demands\nnext:  merge those of near origins")
    base_ms, slo_ms, memory = (
        np.array([item[name] for item in models], float) for name in ("base_ms", "slo_ms", "mem_gb")
    )
    return Models(base_ms, slo_ms, np.array([item["certs"] for item in models], np.int64), memory, first_demand)


def _pools(raw: dict[str, Any]) -> Pools:
    devices = {item["name"]: item for item in raw["devices"]}
    of_pools = [devices[pool["device"]] for pool in raw["pools"]]
    scale, memory = (np.array([item[name] for item in of_pools], float) for name in ("scale", "mem_gb"))
    return Pools(np.array([pool["certs"] for pool in raw["pools"]], np.int64), scale, memory)


def _worth(demand: dict[str, Any]) -> float:
    return float(demand["penalty"]) / float(demand["rate"])


def _running(pairs: Ints, pools: int, previous: dict[str, Any] | None) -> Ints:
    """[C]: instances of each pair in the plan that was running; `pairs` rise."""
    placed = [model * pools + pool for pool, held in (previous["nodes"] if previous else ()) for model, _ in held]
    pair = np.array(placed, np.int64)
    return np.bincount(np.searchsorted(pairs, pair[np.isin(pair, pairs)]), minlength=pairs.size)


@compiled
def _options(tiers: Floats, models: Models, pools: Pools, rtt_ms: Floats) -> tuple[Ints, Ints, Ints, Ints]:
    """Model, pool, tier and reach of each option; `rtt_ms` is [demands, pools]."""
    most = models.base_ms.size * pools.scale.size * tiers.size
    model_of, pool_of = np.empty(most, np.int64), np.empty(most, np.int64)
    tier_of, reach_of = np.empty(most, np.int64), np.empty(most, np.int64)
    found = 0
    for model in range(models.base_ms.size):
        for pool in range(pools.scale.size):
            if models.certs[model] & ~pools.certs[pool] or models.memory[model] > pools.memory[pool]:
                continue
            before = 0
            for tier in range(tiers.size - 1, -1, -1):
                reach = _reach(models, model, rtt_ms[:, pool], pools.scale[pool], tiers[tier])
                if reach != before:
                    model_of[found], pool_of[found] = model, pool
                    tier_of[found], reach_of[found] = tier, reach
                    found += 1
                    before = reach
    return model_of[:found].copy(), pool_of[:found].copy(), tier_of[:found].copy(), reach_of[:found].copy()


@compiled
def _reach(models: Models, model: int, rtt_ms: Floats, scale: float, busy: float) -> int:
    """The demands of a model that are answered in time, as bits; `rtt_ms` is by demand."""
    latency_ms = models.base_ms[model] * scale * (1 + QUEUEING * busy / (1 - busy))
    reach, first = 0, models.first_demand[model]
    for demand in range(first, models.first_demand[model + 1]):
        if rtt_ms[demand] + latency_ms <= models.slo_ms[model]:
            reach |= 1 << (demand - first)
    return reach


def plan_from(instance: Instance, plan: dict[str, Any]) -> PackedPlan:
    """A plan of the reference format on the nodes of this instance, as far as its options still exist.

    Where an instance's tier is not offered any more, it takes a tighter or a looser one.
    """
    following = first_nodes(instance.problem).tolist()
    pool_end = following[1:]
    rows = []
    for pool, placed in plan["nodes"]:
        if following[pool] < pool_end[pool]:
            rows += [(model, pool, tier, following[pool]) for model, tier in placed]
            following[pool] += 1
    model, pool, tier, node = np.array(rows, np.int64).reshape(-1, 4).T
    option = _option_at(instance, model, pool, tier)
    for near in (tier - 1, tier + 1):
        option = np.where(option < 0, _option_at(instance, model, pool, near), option)
    return PackedPlan(option[option >= 0], node[option >= 0])


def _option_at(instance: Instance, model: Ints, pool: Ints, tier: Ints) -> Ints:
    """The options of these models on these pools at these tiers, -1 where there is none."""
    pools, tiers = instance.problem.pool_nodes.size, len(instance.raw["params"]["tiers_util"])

    def key(model: Ints, pool: Ints, tier: Ints) -> Ints:
        return (model * pools + pool) * (tiers + 2) + tier + 1

    known = key(instance.option_model, instance.problem.option_pool, instance.option_tier)
    order = np.argsort(known, kind="stable")
    wanted = key(model, pool, tier)
    there = np.isin(wanted, known)
    options = np.full(wanted.size, -1)
    options[there] = order[np.searchsorted(known, wanted[there], sorter=order)]
    return options


def plan_to(instance: Instance, plan: PackedPlan) -> dict[str, Any]:
    """A plan in the reference format, with the routes that serve most."""
    problem = instance.problem
    pool_of = np.searchsorted(first_nodes(problem), plan.instance_node, side="right") - 1
    nodes: dict[int, list[Sequence[int]]] = defaultdict(list)
    for option, node in zip(plan.instance_option.tolist(), plan.instance_node.tolist(), strict=True):
        nodes[node].append((int(instance.option_model[option]), int(instance.option_tier[option])))
    pools = dict(zip(plan.instance_node.tolist(), pool_of.tolist(), strict=True))
    found = routes(problem, plan)
    part = found.urps / problem.demand_urps[found.demand]
    columns = (
        instance.demand_number[found.demand].tolist(),
        problem.option_pool[found.option].tolist(),
        instance.option_tier[found.option].tolist(),
        part.tolist(),
    )
    return {
        "schema": "slo-plan/1",
        "instance": instance.raw.get("name", ""),
        "nodes": [[pools[node], held] for node, held in nodes.items()],
        "routes": [list(route) for route in zip(*columns, strict=True)],
    }
