"""What explaining a large fleet costs: shadow prices, runners-up, conflicts and their relaxations.

Prints a table and, as its last line, a JSON object. Seconds are of the clock and of the processor; the fleet is
generated, and asked in turn for one thing that it cannot do. A decision is what the loop tells of the engine's plan.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from explained_fleet import built, of_the_engine, policy, strained
from prediction_score import last_line
from rich.console import Console
from rich.table import Table
from whole_fleet import NOW as WHOLE_NOW
from whole_fleet import whole_fleet

from controller.decision import State
from controller.planning.build import Built, build
from controller.planning.explaining.clauses import EVERYTHING
from controller.planning.explaining.conflict import Clashes, Conflict, clashes
from controller.planning.explaining.explanation import Loosened, shortfall_of
from controller.planning.explaining.price_words import runner_up_text, shadow_text
from controller.planning.explaining.questions import Questions
from controller.planning.explaining.relaxation import relaxations
from controller.planning.explaining.runner_up import Chosen, runners_up
from controller.planning.explaining.sacrifice import services_short
from controller.planning.explaining.shadow import shadow_prices
from controller.planning.explaining.shortfall_words import conflict_finding, shortfall_findings
from controller.planning.pooled.linear import minimise
from controller.planning.pooled.programme import lean
from controller.planning.pooled.rounding import rounded
from controller.planning.verify import verify
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement

Found = TypeVar("Found")
SHOWN: Final = 3
LIMIT_S: Final = 5.0
WARM_UP: Final = 200
"""Nodes of a fleet that is explained first, so that no import or compilation is measured."""


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


def of_a_plan(plan: Plan, instance: Built, name: str) -> list[dict[str, Any]]:
    """Shadow prices of a plan, the runners-up of what serves its first service, and those of all placements."""
    serving = frozenset(plan.placements(instance.problem))
    worth, price_time = measured(lambda: shadow_prices(plan, instance.problem, instance.whole, Plan()))
    chosen = Chosen(plan, instance.problem, instance.exclusions, Plan())
    first = frozenset(placement for placement in serving if _serves_first(placement, chosen))
    own, own_time = measured(lambda: runners_up(chosen, first))
    others, other_time = measured(lambda: runners_up(chosen, serving))
    policy = instance.problem.policy
    for text in [*map(shadow_text, worth[:SHOWN]), *(runner_up_text(each, policy) for each in others[:SHOWN])]:
        print(text)
    return [
        {"what": f"shadow prices{name}", "found": len(worth), **price_time},
        {"what": f"runners-up of one service{name}", "found": len(own), **own_time},
        {"what": f"all runners-up{name}", "found": len(others), **other_time},
    ]


def _serves_first(placement: Placement, chosen: Chosen) -> bool:
    """Whether the first service that the plan serves goes through a placement."""
    first = chosen.problem.path(chosen.plan.routes[0].path).demand
    service = chosen.problem.demand(first).service
    return any(chosen.problem.demand(name).service == service for name in chosen.demands.get(placement, ()))


def of_a_shortfall(name: str, instance: Built, suspects: tuple[str, ...]) -> list[dict[str, Any]]:
    """The conflicts of a fleet that is asked too much, and what would end them."""
    (questions, clashing), conflict_time = measured(lambda: _clashes(instance, suspects))
    found = clashing.found
    loosened, relaxation_time = measured(lambda: [Loosened(c, relaxations(questions, c)) for c in found])
    for item in loosened:
        told = conflict_finding(item, instance.problem.policy)
        print(f"{name}: {told.message}\n    {told.hint}")
    return [
        {"what": f"conflict: {name}", "found": len(found), "clauses": _clauses(found), **conflict_time},
        {
            "what": f"relaxations: {name}",
            "found": sum(len(item.relaxations) for item in loosened),
            "proven": all(item.proven for item in found) and not clashing.undecided,
            **relaxation_time,
        },
    ]


def of_a_decision(name: str, instance: Built) -> tuple[list[dict[str, Any]], Plan]:
    """What the loop tells of the plan that its engine makes, within its limit of work; and the plan."""
    plan = of_the_engine(instance)
    if verify(plan, instance.problem):
        raise SystemExit(
            "error: the engine for fleets found a plan that breaks a rule\nnext:  take another number of nodes"
        )
    told, time_taken = measured(lambda: shortfall_of(plan, instance, Plan()))
    ids = Counter(finding.id for finding in shortfall_findings(told, instance.problem.policy))
    found = {
        "what": f"decision: {name}",
        "found": sum(ids.values()),
        "clauses": sum(len(item.conflict.clauses) for item in told.conflicts),
        "proven": all(item.conflict.proven for item in told.conflicts) and not told.undecided,
        "findings": dict(ids),
        **time_taken,
    }
    return [found], plan


def _clashes(instance: Built, suspects: tuple[str, ...]) -> tuple[Questions, Clashes]:
    questions = Questions(replace(instance.whole, floors=()))
    return questions, clashes(questions, suspects)


def _clauses(found: tuple[Conflict, ...]) -> int:
    return sum(len(item.clauses) for item in found)


def every_rule(nodes: int, seed: int) -> Built:
    """A fleet of the other generator, with pipelines and every rule in use, some of which cannot be kept."""
    fleet = whole_fleet(nodes, seed)
    return build(fleet.policy, fleet.snapshot(), State(), WHOLE_NOW)


def main() -> None:
    """Measure one size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1000, help="how many nodes")
    parser.add_argument("--seed", type=int, default=1, help="of the fleet with every rule")
    given = parser.parse_args()
    nodes, asked = given.nodes, policy(given.nodes)
    small = built(policy(WARM_UP))
    of_a_plan(planned(small), small, "")
    instance = built(asked)
    rows = of_a_plan(planned(instance), instance, "")
    for name, changed in strained(asked):
        decided, plan = of_a_decision(name, built(changed))
        short = services_short(plan, built(changed).whole)
        rows += [*of_a_shortfall(name, built(changed), short), *decided]
    fleet = every_rule(nodes, given.seed)
    decided, plan = of_a_decision("every rule", fleet)
    rows += [*of_a_shortfall("every rule", fleet, ()), *decided, *of_a_plan(plan, fleet, ": every rule")]
    table = Table(title=f"explaining a fleet of {len(instance.problem.nodes)} nodes")
    columns = ("what", "found", "clauses", "proven", "seconds", "processor_seconds")
    for column in columns:
        table.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        table.add_row(*(str(row.get(column, "")) for column in columns))
    Console(width=120).print(table)
    size = {"nodes": len(instance.problem.nodes), "options": len(instance.problem.options)}
    print(last_line({**size, "paths": len(instance.whole.paths), "limit_s": LIMIT_S, "measured": rows}))


if __name__ == "__main__":
    main()
