"""How well pods are packed on nodes with GPUs: Alibaba's openb trace, against other schedulers and a proven bound.

`python benchmarks/packing.py FOLDER` takes each of the four lists of pods, all of them and the running ones. Leaving a
pod out costs its GPUs and 0.02. Where all fit, the nodes in use are counted instead, and 50 pods arrive at the end,
beside a packing of the others that stays as it is. Our figures are medians over seeds. A table by list, and as the last
line a JSON object. Every packing is judged by `device_check`, and a broken one ends the run.
"""

import argparse
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from packing_fragments import fragmented_gpus, typical
from packing_peers import BEST_FIT, PEERS, decreasing, place_each
from packing_trace import Pods, counting_nodes, pod_set, pod_sets, without_last

from controller.planning.fleet.device_bound import DevicePrices, prices
from controller.planning.fleet.device_check import broken
from controller.planning.fleet.device_packing import arrived, packings
from controller.planning.fleet.device_state import emptied, plan_of, standing
from controller.planning.fleet.devices import DevicePlan, DeviceProblem

ARRIVING = 50
MOST_STEPS = 10**12
GUIDE = (0, 10)
"""Rounded measures and rounds of packings for prices to search with: soon there, and near enough."""
PROOF = (12, 40)
"""The same for a bound."""
Found = dict[str, Any]


def figures(pods: Pods, plan: DevicePlan, seconds: float) -> Found:
    """What a packing comes to; it is checked first."""
    problem = pods.problem
    faults = broken(problem, plan)
    if faults:
        raise SystemExit(f"{pods.name}: {faults[0]}")
    placed = np.bincount(plan.instance_class, minlength=problem.class_count.size)
    return {
        "placed": int(placed.sum()),
        "unplaced_weight": round(float((problem.class_count - placed) @ problem.class_weight), 2),
        "nodes": int(np.unique(plan.instance_node).size),
        "fragmented_gpus": round(fragmented_gpus(standing(problem, plan), typical(problem)), 1),
        "seconds": round(seconds, 3),
    }


def peer(pods: Pods, number: int) -> Found:
    """The figures of another scheduler."""
    problem, begun = pods.problem, time.perf_counter()
    arrivals = decreasing(problem, pods.arrivals) if number == BEST_FIT else pods.arrivals
    state = emptied(problem)
    there = problem.kind_free
    place_each(state, there, problem.class_need, problem.class_allowed, arrivals, number, typical(problem))
    return figures(pods, plan_of(state), time.perf_counter() - begun)


def ours(pods: Pods, problem: DeviceProblem, time_s: float, seed: int) -> tuple[Found, DevicePlan, DevicePrices]:
    """The figures of the best plan after a time, with how the cost fell; the prices of the search are counted in."""
    begun = time.perf_counter()
    guide, curve, plan = prices(problem, *GUIDE), [], None
    for better in packings(problem, guide, MOST_STEPS, seed, lambda: (time.perf_counter() - begun) / time_s):
        plan = better.plan
        curve.append([round(time.perf_counter() - begun, 3), round(better.cost, 2)])
    assert plan is not None
    found = figures(pods, plan, time.perf_counter() - begun)
    return found | {"first_seconds": curve[0][0], "curve": curve}, plan, guide


def arriving(pods: Pods, time_s: float, seed: int) -> Found:
    """How long it takes to place the last pods beside a packing of the others, and what is left out."""
    fewer = without_last(pods, ARRIVING)
    _, running, guide = ours(fewer, counting_nodes(fewer.problem), time_s, seed)
    begun = time.perf_counter()
    plan = arrived(counting_nodes(pods.problem), guide, running)
    seconds = time.perf_counter() - begun
    found = figures(pods, plan, seconds)
    if Counter(rows(running)) - Counter(rows(plan)):
        raise SystemExit(f"{pods.name}: what runs was moved")
    return {"pods": ARRIVING, "placed": found["placed"] - running.instance_class.size, "seconds": found["seconds"]}


def rows(plan: DevicePlan) -> Iterator[tuple[int, int, int]]:
    """Each instance as (class, node, bits of devices)."""
    return zip(*(part.tolist() for part in plan), strict=True)


def middle(found: list[Found], aim: str) -> Found:
    """Of the runs of several seeds, the figures of the median one, with what all came to; nodes count once all fit."""
    ranked = sorted(found, key=lambda one: (one["unplaced_weight"], one["nodes"]))
    return ranked[(len(ranked) - 1) // 2] | {"of_each_seed": [one[aim] for one in found]}


def bound(problem: DeviceProblem) -> Found:
    """What no packing can cost less than."""
    begun = time.perf_counter()
    value = prices(problem, *PROOF).bound
    return {"value": math.floor(value * 1e4) / 1e4, "seconds": round(time.perf_counter() - begun, 2)}


def measured(pods: Pods, time_s: float, seeds: int) -> Found:
    """Everything about one set of pods."""
    least = bound(pods.problem)
    fits = least["value"] <= 0
    problem = counting_nodes(pods.problem) if fits else pods.problem
    found: Found = {"pods": pods.arrivals.size, "bound": bound(problem) if fits else least}
    found["of"] = "nodes" if fits else "unplaced_weight"
    if fits:
        found["bound"]["value"] = math.ceil(found["bound"]["value"])
    aim = found["of"]
    found["methods"] = {name: peer(pods, number) for name, number in PEERS.items()}
    runs = [ours(pods, problem, time_s, seed)[0] for seed in range(1, seeds + 1)]
    found["methods"]["gridwright"] = middle(runs, aim)
    if fits:
        found["arriving"] = arriving(pods, time_s, 1)
    return found


def compiling() -> float:
    """Seconds to compile everything, or to load what was compiled before."""
    begun = time.perf_counter()
    node = {"cpu_milli": "8000", "memory_mib": "8000", "gpu": "1", "model": "T4"}
    pod = {"cpu_milli": "1000", "memory_mib": "1000", "num_gpu": "1", "gpu_milli": "400"}
    tiny = pod_set("tiny", [node], [pod, pod])
    for number in PEERS.values():
        peer(tiny, number)
    _, plan, guide = ours(tiny, tiny.problem, 0.01, 0)
    arrived(tiny.problem, guide, plan)
    return time.perf_counter() - begun


def show(name: str, found: Found) -> None:
    """The lines of the table for one set of pods."""
    aim, least = found["of"], found["bound"]
    print(f"{name}: {found['pods']} pods; {aim.replace('_', ' ')} at least {least['value']} ({least['seconds']} s)")
    for method, row in found["methods"].items():
        cells = f"{row['placed']:8}{row['unplaced_weight']:12.2f}{row['nodes']:8}{row['fragmented_gpus']:13.1f}"
        print(f"  {method:28}{cells}{row['seconds']:9.2f}", flush=True)
    if "arriving" in found:
        late = found["arriving"]
        print(f"  {late['placed']} of {late['pods']} arriving pods placed in {1000 * late['seconds']:.0f} ms")


def main() -> int:
    """Pack every set of pods."""
    parser = argparse.ArgumentParser(description="Packing of pods on nodes with GPUs.")
    parser.add_argument("trace", type=Path, help="the folder of the openb trace")
    parser.add_argument("--time", type=float, default=10.0, help="seconds for each packing of ours")
    parser.add_argument("--seeds", type=int, default=5, help="how many; the median is told")
    parser.add_argument("--only", default="", help="the lists whose names contain this")
    asked = parser.parse_args()
    found: dict[str, Any] = {"compiling_seconds": round(compiling(), 2), "sets": {}}
    print(f"{'':30}{'placed':>8}{'unplaced':>12}{'nodes':>8}{'fragments':>13}{'seconds':>9}")
    for pods in pod_sets(asked.trace):
        if asked.only in pods.name:
            found["sets"][pods.name] = measured(pods, asked.time, asked.seeds)
            show(pods.name, found["sets"][pods.name])
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
