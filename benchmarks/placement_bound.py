"""How near to the best known plan of a reference instance one can prove that no plan is better, and how soon."""

import argparse
import resource
import time
from pathlib import Path
from typing import Final

from placement_instances import packed, read
from prediction_score import last_line
from rich.console import Console
from rich.table import Table

from controller.planning.fleet.bound import Bound
from controller.planning.fleet.packed import PackedProblem

TOLD_AT: Final = (0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)


def main() -> None:
    """Bound one instance for so many seconds; a round that has begun is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instance", type=Path, help="an instance, slo-place/1")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--previous", type=Path, help="the plan that runs, slo-plan/1: starts then have a price")
    arguments = parser.parse_args()
    problem = packed(read(arguments.instance), read(arguments.previous) if arguments.previous else None).problem
    compile_all(problem)
    curve = bounds(problem, arguments.seconds)
    meta_path = arguments.instance.with_suffix(".meta.json")
    meta = read(meta_path) if meta_path.exists() else {}
    best = meta.get("best_known_total" if arguments.previous else "best_known")
    print_curve(arguments.instance.stem, curve, best)
    gap = round(100 * (best - curve[-1][1]) / best, 3) if best else None
    peak_mib = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(last_line({"bound": curve[-1][1], "gap_percent": gap, "peak_mib": peak_mib, "curve": curve}))


def compile_all(problem: PackedProblem) -> None:
    """A few rounds without the first seconds of a process: what was compiled ahead is loaded."""
    first = problem._replace(
        first_option=problem.first_option[:2],
        first_demand=problem.first_demand[:2],
        **{
            name: getattr(problem, name)[: problem.first_option[1]]
            for name in ("option_pool", "option_use", "option_urps", "option_price", "option_reach", "option_pair")
        },
        demand_urps=problem.demand_urps[: problem.first_demand[1]],
        demand_worth=problem.demand_worth[: problem.first_demand[1]],
    )
    bound = Bound(first)
    for _ in range(6):
        bound.improve()


def bounds(problem: PackedProblem, seconds: float) -> list[tuple[float, float]]:
    """Seconds and what was proven by then, a point for each round."""
    began = time.perf_counter()
    bound, curve = Bound(problem), [(0.0, 0.0)]
    while curve[-1][0] < seconds:
        proven = bound.improve()
        curve.append((round(time.perf_counter() - began, 3), proven))
    return curve[1:]


def print_curve(name: str, curve: list[tuple[float, float]], best: float | None) -> None:
    """What was proven at a few instants."""
    table = Table(title=name)
    for title in ("seconds", "proven", "below the best known"):
        table.add_column(title, justify="right")
    for at in TOLD_AT:
        proven = max((value for seconds, value in curve if seconds <= at), default=None)
        if proven is not None and at <= curve[-1][0]:
            table.add_row(f"{at:g}", f"{proven:.3f}", f"{100 * (best - proven) / best:.2f} %" if best else "")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
