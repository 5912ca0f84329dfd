"""What each phase of planning costs from 100 to 10,000 nodes, on generated fleets.

Prints a table and, as its last line, a JSON object; draws the phases' times over the number of nodes.
"""

import argparse
import resource
import time
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from placement import TINY, WARM_S, solve
from placement_check import judged
from placement_fleet import fleet
from placement_instances import packed, plan_to
from prediction_score import last_line
from rich.console import Console
from rich.table import Table

from controller.planning.fleet.search import Search, search_for

mpl.use("Agg")
from matplotlib import pyplot as plt

SIZES: Final = (100, 300, 1000, 3000, 10_000)
SEARCH_S: Final = 2.0
PHASES: Final = ("options", "construct", "hundred tries", "routes")


def measured(nodes: int) -> dict[str, Any]:
    """One size: seconds of each phase, cost at the start and at the end of a short search, and whether it holds."""
    raw = fleet(nodes, seed=1)
    times = [time.perf_counter()]
    instance = packed(raw)
    times.append(time.perf_counter())
    search = Search(instance.problem)
    times.append(time.perf_counter())
    first = search.cost
    steps = list(search_for(search, SEARCH_S))
    times.append(time.perf_counter())
    plan = plan_to(instance, search.plan)
    times.append(time.perf_counter())
    options, construct, searched, routes = np.diff(times).tolist()
    found = judged(raw, plan)
    if found.errors:
        raise SystemExit(f"error: the plan of {nodes} nodes is not feasible: {found.errors[0]}\nnext:  report it")
    return {
        "nodes": sum(pool["count"] for pool in raw["pools"]),
        "options": round(options, 4),
        "construct": round(construct, 4),
        "hundred tries": round(100 * searched / steps[-1].tries, 4),
        "routes": round(routes, 4),
        "first": round(first, 2),
        "best": round(found.objective, 2),
        "powered": len(plan["nodes"]),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def draw(found: list[dict[str, Any]], path: Path) -> None:
    """The phases over the number of nodes, both by powers of ten; the dotted line grows as the fleet does."""
    figure, axes = plt.subplots(figsize=(6, 4))
    nodes = [item["nodes"] for item in found]
    for phase in PHASES:
        axes.loglog(nodes, [1000 * item[phase] for item in found], marker="o", label=phase)
    last = found[-1]
    axes.loglog(
        nodes, [1000 * last["construct"] * size / nodes[-1] for size in nodes], ":", color="grey", label="linear"
    )
    axes.set(xlabel="nodes", ylabel="ms")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, bbox_inches="tight")


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("build/placement-scale.png"), help="where to draw")
    arguments = parser.parse_args()
    solve(TINY, WARM_S, 1)
    found = [measured(nodes) for nodes in SIZES]
    table = Table(title=f"planning, seconds by phase ({SEARCH_S:.0f} s of search)")
    for name in found[0]:
        table.add_column(name, justify="right")
    for item in found:
        table.add_row(*(str(value) for value in item.values()))
    Console(width=120).print(table)
    draw(found, arguments.output)
    print(last_line({"sizes": found, "plot": str(arguments.output)}))


if __name__ == "__main__":
    main()
