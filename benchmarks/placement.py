"""How good plans for whole fleets are, and how soon: on reference instances, against their best known plans.

`seconds` counts from the parsed instance to the plan, routes included. What was compiled ahead, as an installed product
has it, is not in it; `start_seconds` is what loading it takes.
"""

import argparse
import json
import resource
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from placement_check import judged
from placement_instances import Instance, packed, plan_from, plan_to, read
from placement_peers import by_cpsat, by_greedy, by_highs, by_single_moves
from prediction_score import last_line
from rich.console import Console
from rich.table import Table

from controller.planning.fleet.anytime import MOST_MODELS, Anytime, Progress
from controller.planning.fleet.packed import EMPTY

TINY: Final = {
    "params": {"tiers_util": [0.5], "instance_cost": 0.001, "churn_cost": 0.1},
    "rtt_ms": [[1.0]],
    "devices": [{"name": "a", "mem_gb": 8.0, "scale": 1.0, "max_share": 2}],
    "pools": [{"id": 0, "site": 0, "device": "a", "count": 2, "certs": 0, "price": 1.0}],
    "models": [{"id": 0, "mem_gb": 1.0, "base_ms": 1.0, "certs": 0, "slo_ms": 50.0}],
    "demands": [{"id": 0, "model": 0, "origin": 0, "rate": 600.0, "penalty": 10.0}],
}
"""Solved first, as one model and as many, so that everything is loaded."""
MANY: Final = MOST_MODELS + 1
WARM_S: Final = 1.0
"""The one model is solved to the end well before; all that searches for a second has been used after it."""


@dataclass(frozen=True, slots=True)
class Solved:
    """A plan in the reference format, the steps towards it, and when the first one stood."""

    instance: Instance
    plan: dict[str, Any]
    steps: tuple[Progress, ...]
    first_s: float
    seconds: float


def solve(raw: dict[str, Any], seconds: float, seed: int, previous: dict[str, Any] | None = None) -> Solved:
    """Plan for so many seconds, everything included."""
    began = time.perf_counter()
    instance = packed(raw, previous)
    packed_s = time.perf_counter() - began
    anytime = Anytime(instance.problem, plan_from(instance, previous) if previous else EMPTY, seed)
    first_s = time.perf_counter() - began
    told = [replace(step, seconds=step.seconds + packed_s) for step in anytime.improve_for(seconds - packed_s)]
    plan = plan_to(instance, anytime.plan)
    return Solved(instance, plan, tuple(told), first_s, time.perf_counter() - began)


def main() -> None:
    """Solve one instance and judge the plan."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("instance", type=Path, help="an instance, slo-place/1")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long to plan")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--previous", type=Path, help="the plan that runs, slo-plan/1: starts then have a price")
    parser.add_argument("--output", type=Path, help="where to write the plan")
    parser.add_argument("--peers", action="store_true", help="plan in other ways, too, each for as long")
    arguments = parser.parse_args()
    began = time.perf_counter()
    solve(TINY, WARM_S, 1)
    solve(TINY | {name: _repeated(TINY[name]) for name in ("models", "demands")}, WARM_S, 1)
    start_s = time.perf_counter() - began
    raw = read(arguments.instance)
    previous = read(arguments.previous) if arguments.previous else None
    solved = solve(raw, arguments.seconds, arguments.seed, previous)
    if arguments.output:
        arguments.output.write_text(json.dumps(solved.plan), encoding="utf-8")
    result = _result(raw, solved, previous) | {"start_seconds": round(start_s, 3)}
    meta_path = arguments.instance.with_suffix(".meta.json")
    meta = read(meta_path) if meta_path.exists() else {}
    _print(arguments.instance.stem, result, meta.get("best_known_total" if previous else "best_known"))
    if arguments.peers:
        result["peers"] = _peers(raw, solved.instance, arguments.seconds)
    print(last_line(result))


def _repeated(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        entry | {name: number for name in ("id", "model") if name in entry}
        for number in range(MANY)
        for entry in entries
    ]


def _result(raw: dict[str, Any], solved: Solved, previous: dict[str, Any] | None) -> dict[str, object]:
    found = judged(raw, solved.plan, previous)
    total = found.objective + raw["params"].get("churn_cost", 0.0) * found.started
    return {
        "objective": round(found.objective, 6),
        "total": round(total, 6),
        "bound": round(solved.steps[-1].bound, 6),
        "feasible": not found.errors,
        "errors": found.errors[:10],
        "seconds": round(solved.seconds, 4),
        "first_seconds": round(solved.first_s, 4),
        "started": found.started,
        "tries": solved.steps[-1].tries,
        "engines": sorted({step.engine for step in solved.steps}),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "curve": [(round(step.seconds, 3), round(step.cost, 4)) for step in solved.steps],
    }


def _peers(raw: dict[str, Any], instance: Instance, seconds: float) -> dict[str, float | None]:
    """The objective of each other way; none where its plan is not feasible."""
    problem = instance.problem
    plans = {
        "greedy best fit": by_greedy(problem),
        "local search of single moves": by_single_moves(problem, seconds),
        "plain CP-SAT": by_cpsat(problem, seconds),
        "plain MIP in HiGHS": by_highs(problem, seconds),
    }
    table = Table(title="other ways")
    found: dict[str, float | None] = {}
    for name, plan in plans.items():
        outcome = judged(raw, plan_to(instance, plan))
        found[name] = None if outcome.errors else round(outcome.objective, 4)
    for name in ("way", "cost"):
        table.add_column(name)
    for name, cost in found.items():
        table.add_row(name, "not feasible" if cost is None else f"{cost:.3f}")
    Console(width=100).print(table)
    return found


def _print(name: str, result: dict[str, Any], best: float | None) -> None:
    table = Table(title=name)
    for title in ("seconds", "cost", "above the best known"):
        table.add_column(title, justify="right")
    for at in _told([step for step, _ in result["curve"]]):
        seconds, cost = result["curve"][at]
        table.add_row(f"{seconds:.3f}", f"{cost:.3f}", f"{100 * (cost / best - 1):+.2f} %" if best else "")
    console = Console(width=100)
    console.print(table)
    console.print(
        f"{'feasible' if result['feasible'] else result['errors']}, {result['tries']} tries, best known {best}"
    )


def _told(seconds: list[float]) -> list[int]:
    """About one step for each doubling of the time, and the last."""
    told, following = [], 0.0
    for at, passed in enumerate(seconds):
        if passed >= following or at == len(seconds) - 1:
            told.append(at)
            following = max(2 * passed, 0.01)
    return told


if __name__ == "__main__":
    main()
