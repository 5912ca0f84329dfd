"""What ordering a change costs and how it ends, by the size of the fleet, of the change, and how full the nodes are.

Prints a table and, as its last line, a JSON object. Reached is the share of targets that a safe order leads to whole.
"""

import argparse
import time
from typing import Any, Final

from prediction_score import last_line
from rich.console import Console
from rich.table import Table
from transition_fleet import pair

from controller.fleet import fleet_of
from controller.planning.transitions.ground import Ground
from controller.planning.transitions.transition import transition
from controller.planning.transitions.walk import walk
from controller.planning.verify import Moment, verify

SIZES: Final = (100, 300, 1000)
CHANGES: Final = (10, 50, 200)
FILLS: Final = (0.7, 0.9, 1.0)


def measured(nodes: int, changed: int, fill: float, seeds: int) -> dict[str, Any]:
    """Several pairs of plans of one kind: the mean of waves and seconds, and how many were reached whole."""
    waves, order_s, whole_s, verify_s, reached, predicted_s = 0, 0.0, 0.0, 0.0, 0, 0.0
    for seed in range(seeds):
        problem, start, goal = pair(nodes, changed, fill, seed)
        if verify(start, problem) or verify(goal, problem):
            raise SystemExit("error: a generated plan breaks a rule\nnext:  report it")
        current, ground = fleet_of(start, problem), Ground(problem)
        began = time.perf_counter()
        walk(ground, ground.between(start), ground.between(goal), kept=True)
        order_s += time.perf_counter() - began
        began = time.perf_counter()
        way = transition(problem, start, current, goal)
        whole_s += time.perf_counter() - began
        began = time.perf_counter()
        verify(start, problem, Moment.SETTLED)
        verify_s += time.perf_counter() - began
        if way is not None:
            reached, waves, predicted_s = reached + 1, waves + len(way.waves), predicted_s + way.duration_us / 1e6
    return {
        "nodes": len(problem.nodes),
        "instances": sum(item.count for item in start.instances),
        "changed": changed,
        "fill": fill,
        "waves": round(waves / max(1, reached), 1),
        "predicted_s": round(predicted_s / max(1, reached), 1),
        "ordering_s": round(order_s / seeds, 4),
        "one_verify_s": round(verify_s / seeds, 4),
        "with_verifier_s": round(whole_s / seeds, 4),
        "reached": round(reached / seeds, 3),
    }


def main() -> None:
    """Measure all kinds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="pairs of plans of each kind")
    arguments = parser.parse_args()
    found = [
        measured(nodes, changed, fill, arguments.seeds) for nodes in SIZES for changed in CHANGES for fill in FILLS
    ]
    table = Table(title="from plan to plan")
    for name in found[0]:
        table.add_column(name, justify="right")
    for item in found:
        table.add_row(*(str(value) for value in item.values()))
    Console(width=120).print(table)
    print(last_line({"transitions": found}))


if __name__ == "__main__":
    main()
