"""How soon plans of small fleets are proven to be the best, and how far from proven the others are after 5 s.

Prints a table of medians and the worst over generated fleets and, as its last line, a JSON object.
"""

import argparse
import time
from typing import Any, Final

import numpy as np
from placement import TINY, WARM_S, solve
from placement_bound import compile_all
from placement_check import judged
from placement_fleet import fleet
from placement_instances import packed
from prediction_score import last_line
from rich.console import Console
from rich.table import Table

MODELS: Final = (12, 30)
NODES: Final = 360
"""At 15 sites, in 30 pools: as many as the smallest reference instance has."""
SECONDS: Final = 5.0
SOON_S: Final = 3.0
PROVEN: Final = 1e-6
"""A gap, as a part of the cost, that is none."""


def few(models: int, seed: int) -> dict[str, Any]:
    """A generated fleet with so many of its models only: there are more places than are needed."""
    raw = fleet(NODES, seed)
    demands = [item for item in raw["demands"] if item["model"] < models]
    return raw | {"models": raw["models"][:models], "demands": demands}


def measured(models: int, seed: int) -> dict[str, Any]:
    """One fleet: its cost, the gap that is left, and the seconds until there was none."""
    raw = few(models, seed)
    solved = solve(raw, SECONDS, seed)
    found, last = judged(raw, solved.plan), solved.steps[-1]
    if found.errors:
        raise SystemExit(f"error: the plan of {models} models, seed {seed}, is not feasible: {found.errors[0]}")
    gap = max(0.0, 1 - last.bound / last.cost)
    return {
        "models": models,
        "seed": seed,
        "cost": round(found.objective, 4),
        "gap_percent": round(100 * gap, 3) if gap > PROVEN else 0.0,
        "proven_seconds": round(last.seconds, 3) if gap <= PROVEN else None,
    }


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians and the worst over the fleets of one size; what was not proven takes the whole time at least."""
    seconds = [item["proven_seconds"] or SECONDS for item in found]
    gaps = [item["gap_percent"] for item in found]
    return {
        "models": found[0]["models"],
        "fleets": len(found),
        "proven": sum(gap == 0 for gap in gaps),
        "proven_within_3_s": sum((item["proven_seconds"] or SECONDS) <= SOON_S for item in found),
        "seconds_median": round(float(np.median(seconds)), 2),
        "seconds_worst": round(max(seconds), 2),
        "gap_percent_median": round(float(np.median(gaps)), 2),
        "gap_percent_worst": round(max(gaps), 2),
    }


def main() -> None:
    """Plan all fleets, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="fleets of each size")
    arguments = parser.parse_args()
    solve(TINY, WARM_S, 1)
    compile_all(packed(TINY).problem)
    began = time.perf_counter()
    fleets = [[measured(models, seed) for seed in range(arguments.seeds)] for models in MODELS]
    found = [summary(of_a_size) for of_a_size in fleets]
    table = Table(title=f"small fleets, planned for {SECONDS:.0f} s")
    for name in found[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for item in found:
        table.add_row(*(str(value) for value in item.values()))
    Console(width=140).print(table)
    print(last_line({"sizes": found, "fleets": fleets, "seconds": round(time.perf_counter() - began, 1)}))


if __name__ == "__main__":
    main()
