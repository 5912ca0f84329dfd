"""What explaining a large fleet costs: shadow prices, runners-up, conflicts and their relaxations.

Prints a table and, as its last line, a JSON object. Seconds are of the clock and of the processor; the fleet is
generated, and asked in turn for one thing that it cannot do.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from explained_fleet import built, policy, strained
from prediction_score import last_line
from rich.console import Console
from rich.table import Table

from controller.planning.build import Built
from controller.planning.clauses import EVERYTHING
from controller.planning.conflict import Clashes, Conflict, clashes
from controller.planning.explanation import Loosened
from controller.planning.pooled.linear import minimise
from controller.planning.pooled.programme import lean
from controller.planning.pooled.rounding import rounded
from controller.planning.questions import Questions
from controller.planning.relaxation import relaxations
from controller.planning.report import conflict_finding, runner_up_text, shadow_text
from controller.planning.runner_up import Chosen, runners_up
from controller.planning.shadow import shadow_prices
from controller.planning.verify import verify
from rules.kernel.plan import Plan

Found = TypeVar("Found")
SHOWN: Final = 3
LIMIT_S: Final = 5.0


def measured(work: Callable[[], Found]) -> tuple[Found, dict[str, float]]:
    """What `work` gives, and the seconds that it took."""
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    return found, {
        "seconds": round(time.perf_counter() - clock, 2),
        "processor_seconds": round(time.process_time() - processor, 2),
    }


def planned(instance: Built) -> Plan:
    """A plan that serves everything, rounded from a linear programme. Exits when there is none."""
    questions = Questions(instance.whole)
    programme = questions.programme(EVERYTHING)
    cost = lean(programme)
    solution = minimise(programme.rows, cost, programme.upper)
    plan = rounded(questions.asked(EVERYTHING).form, programme, cost, solution.value) if solution else None
    if plan is None or verify(plan, instance.problem):
        raise SystemExit("error: no plan of the generated fleet was found\nnext:  take another number of nodes")
    return plan


def of_a_plan(instance: Built) -> list[dict[str, Any]]:
    """Shadow prices and runners-up of a plan that serves everything."""
    plan = planned(instance)
    serving = frozenset(plan.placements(instance.problem))
    prices, price_time = measured(lambda: shadow_prices(plan, instance.problem, instance.whole, Plan()))
    chosen = Chosen(plan, instance.problem, instance.exclusions, Plan())
    others, other_time = measured(lambda: runners_up(chosen, serving))
    for text in [*map(shadow_text, prices[:SHOWN]), *map(runner_up_text, others[:SHOWN])]:
        print(text)
    return [
        {"what": "shadow prices", "found": len(prices), **price_time},
        {"what": "runners-up", "found": len(others), **other_time},
    ]


def of_a_shortfall(name: str, instance: Built) -> list[dict[str, Any]]:
    """The conflicts of a fleet that is asked too much, and what would end them."""
    (questions, clashing), conflict_time = measured(lambda: _conflicts(instance))
    found = clashing.found
    loosened, relaxation_time = measured(lambda: [Loosened(c, relaxations(questions, c)) for c in found])
    for item in loosened:
        told = conflict_finding(item)
        print(f"{name}: {told.message}\n    {told.hint}")
    return [
        {"what": f"conflict: {name}", "found": len(found), "clauses": _clauses(found), **conflict_time},
        {
            "what": f"relaxations: {name}",
            "found": sum(len(item.relaxations) for item in loosened),
            "proven": all(item.proven for item in found),
            **relaxation_time,
        },
    ]


def _conflicts(instance: Built) -> tuple[Questions, Clashes]:
    questions = Questions(replace(instance.whole, floors=()))
    return questions, clashes(questions)


def _clauses(found: tuple[Conflict, ...]) -> int:
    return sum(len(item.clauses) for item in found)


def main() -> None:
    """Measure one size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1000, help="how many nodes")
    nodes = parser.parse_args().nodes
    asked = policy(nodes)
    instance = built(asked)
    rows = of_a_plan(instance)
    for name, changed in strained(asked):
        rows += of_a_shortfall(name, built(changed))
    table = Table(title=f"explaining a fleet of {len(instance.problem.nodes)} nodes")
    columns = ("what", "found", "clauses", "seconds", "processor_seconds")
    for column in columns:
        table.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        table.add_row(*(str(row.get(column, "")) for column in columns))
    Console(width=120).print(table)
    size = {"nodes": len(instance.problem.nodes), "options": len(instance.problem.options)}
    print(last_line({**size, "paths": len(instance.whole.paths), "limit_s": LIMIT_S, "measured": rows}))


if __name__ == "__main__":
    main()
