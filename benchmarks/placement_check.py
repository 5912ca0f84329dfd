"""What a plan of the reference format costs and whether it is feasible, computed from the files alone.

It shares nothing with the search, and is as strict as the reference's own checker.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

QUEUEING: Final = 1.15
TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Judged:
    """Cost in dollars an hour, instances started beyond those that ran, and what is wrong with the plan."""

    objective: float
    started: int
    errors: tuple[str, ...]


def judged(instance: dict[str, Any], plan: dict[str, Any], previous: dict[str, Any] | None = None) -> Judged:
    """Add everything up."""
    served: dict[int, float] = defaultdict(float)
    for demand, _, _, fraction in plan["routes"]:
        served[demand] += fraction
    errors = (*_nodes(instance, plan), *_routes(instance, plan), *_too_much(served))
    instances = sum(len(placed) for _, placed in plan["nodes"])
    missing = ((item["penalty"], 1 - served[item["id"]]) for item in instance["demands"])
    objective = (
        sum(instance["pools"][pool]["price"] for pool, _ in plan["nodes"])
        + instance["params"]["instance_cost"] * instances
        + sum(penalty * part for penalty, part in missing if part >= TOLERANCE)
    )
    started = _by_pool(plan) - _by_pool(previous) if previous else Counter()
    return Judged(objective, sum(started.values()), errors)


def _by_pool(plan: dict[str, Any]) -> Counter[tuple[int, int]]:
    return Counter((pool, model) for pool, placed in plan["nodes"] for model, _ in placed)


def _nodes(instance: dict[str, Any], plan: dict[str, Any]) -> Iterator[str]:
    devices = {item["name"]: item for item in instance["devices"]}
    for number, placed in plan["nodes"]:
        pool = instance["pools"][number]
        device = devices[pool["device"]]
        models = [instance["models"][model] for model, _ in placed]
        if len(models) > device["max_share"]:
            yield f"pool {number}: {len(models)} instances on a node for {device['max_share']}"
        if sum(model["mem_gb"] for model in models) > device["mem_gb"] + 1e-9:
            yield f"pool {number}: more memory than a node has"
        if any(model["certs"] & ~pool["certs"] for model in models):
            yield f"pool {number}: a certification is missing"
    for number, used in Counter(number for number, _ in plan["nodes"]).items():
        if used > instance["pools"][number]["count"]:
            yield f"pool {number}: {used} nodes of {instance['pools'][number]['count']}"


def _routes(instance: dict[str, Any], plan: dict[str, Any]) -> Iterator[str]:
    scale = {item["name"]: item["scale"] for item in instance["devices"]}
    tiers = instance["params"]["tiers_util"]
    room: dict[tuple[int, int, int], float] = defaultdict(float)
    for pool, placed in plan["nodes"]:
        for model, tier in placed:
            time_ms = instance["models"][model]["base_ms"] * scale[instance["pools"][pool]["device"]]
            room[model, pool, tier] += 1000 * tiers[tier] / time_ms
    asked: dict[tuple[int, int, int], float] = defaultdict(float)
    for demand, pool, tier, fraction in plan["routes"]:
        wanted, site = instance["demands"][demand], instance["pools"][pool]
        model, busy = instance["models"][wanted["model"]], tiers[tier]
        latency_ms = model["base_ms"] * scale[site["device"]] * (1 + QUEUEING * busy / (1 - busy))
        if instance["rtt_ms"][wanted["origin"]][site["site"]] + latency_ms > model["slo_ms"] + TOLERANCE:
            yield f"demand {demand}: later than its objective from pool {pool}"
        if fraction < -TOLERANCE:
            yield f"demand {demand}: a negative part"
        asked[wanted["model"], pool, tier] += fraction * wanted["rate"]
    for key, rate in asked.items():
        if rate > room[key] * (1 + TOLERANCE) + TOLERANCE:
            yield f"model, pool, tier {key}: {rate} requests a second of {room[key]}"


def _too_much(served: dict[int, float]) -> Iterator[str]:
    return (f"demand {demand}: served {part} times" for demand, part in served.items() if part > 1 + TOLERANCE)
