"""What planning the product's own problem costs on a generated fleet with every rule in use, phase by phase.

Prints a table and, as its last line, a JSON object: the first plan, the next one after a tenth of the demands changed,
and the one after some in a hundred did; `turn` is what the loop's whole decision takes there, the way to the plan
included, `look` what each look at it takes before and while it is carried out (seconds of a processor), and `why` what
the loop finds out once it has acted: why services fall short. Violations are counted by the verifier.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from prediction_score import last_line
from rich.console import Console
from rich.table import Table
from whole_fleet import NOW, WholeFleet, whole_fleet

from controller.decision import State
from controller.fleet import Fleet, fleet_of
from controller.planning.build import build, write
from controller.planning.decide import decide
from controller.planning.guards import floors
from controller.planning.kept import Kept
from controller.planning.objective import cost_of, prices, shortfall
from controller.planning.recheck import recheck
from controller.planning.running import running_plan
from controller.planning.verify import verify
from controller.planning.whole import rounds
from policy.uncollected import uncollected

FEW: Final = 0.02
"""The part of the demands that a small change is of."""
PHASES: Final = {"translate": "translation", "search_tries": "search", "routed": "routes", "repaired": "repair"}


class Clock:
    """Seconds by phase; the steps of `rounds` are timed by standing in for them."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.originals = {name: getattr(rounds, name) for name in PHASES}
        for name, phase in PHASES.items():
            setattr(rounds, name, self.timed(phase, self.originals[name]))

    def timed(self, phase: str, step: Callable[..., Any]) -> Callable[..., Any]:
        """The same step, whose time is added to a phase."""

        def stand_in(*arguments: Any) -> Any:
            began = time.perf_counter()
            found = step(*arguments)
            self.seconds[phase] += time.perf_counter() - began
            return found

        return stand_in

    def stop(self) -> None:
        """Put the steps back."""
        for name, step in self.originals.items():
            setattr(rounds, name, step)


def planned(fleet: WholeFleet, state: State, before: Fleet | None, kept: Kept) -> tuple[dict[str, Any], State]:
    """One plan: what it took and what it is worth, and the state after it."""
    clock = Clock()
    now = NOW + timedelta(seconds=60 * state.turn)
    snapshot = fleet.snapshot(before, now)
    built = clock.timed("build", build)(fleet.policy, snapshot, state, now, kept)
    running = clock.timed("read", running_plan)(built.whole, built.loaded, state)
    problem = replace(built.problem, floors=floors(built.problem, (), frozenset(), now))
    form = clock.timed("rules", write)(problem)
    form.rows.append(prices(problem, running))
    began = time.perf_counter()
    solved = rounds.plan_fleet(form, problem, running)
    whole_s = time.perf_counter() - began
    clock.stop()
    if solved.plan is None:
        raise SystemExit("error: no plan was found\nnext:  report it with the number of nodes and the seed")
    violations = clock.timed("verify", verify)(solved.plan, problem)
    plan, seconds = solved.plan, clock.seconds
    seconds["beside"] = whole_s - sum(seconds[phase] for phase in PHASES.values())
    held = Counter(item.option for item in plan.instances)
    facts = {
        "demands": len(problem.demands),
        "options": len(problem.options),
        "paths": len(problem.paths),
        "instances": sum(item.count for item in plan.instances),
        "options used": len(held),
        "powered": len(plan.powered()),
        "cost": round(solved.cost / 100_000, 2),
        "shortfall": round(shortfall(plan, form) / 100_000, 2),
        "cost of what ran": round(cost_of(running, form) / 100_000, 2),
        "violations": len(violations),
        "broken rules": dict(Counter(violation.rule for violation in violations)),
        "seconds": {phase: round(value, 3) for phase, value in seconds.items()},
        "total": round(sum(seconds.values()), 3),
    }
    state = replace(
        built.state, plan=plan, fleet=fleet_of(plan, built.whole), rates=built.asked.rates, turn=state.turn + 1
    )
    return facts, state


def turned(fleet: WholeFleet, state: State, kept: Kept) -> tuple[float, float, float]:
    """Seconds of one decision of the loop, of a look at it amid its way, and of the answer to what it left open."""
    now = NOW + timedelta(seconds=60 * state.turn)
    snapshot = fleet.snapshot(state.fleet, now)
    began = time.perf_counter()
    decision = decide(fleet.policy, snapshot, replace(state, left_open=""), now, kept)
    decided = time.perf_counter()
    later = now + timedelta(seconds=5)
    seen, began_look = replace(fleet.snapshot(state.fleet, later), offered=snapshot.offered), time.process_time()
    with uncollected():
        recheck(fleet.policy, seen, decision, later, state.fleet.routes, kept=kept)
    looked_s, asked = time.process_time() - began_look, time.perf_counter()
    kept.answered()
    return round(decided - began, 3), round(looked_s, 3), round(time.perf_counter() - asked, 3)


def main() -> None:
    """Plan a fleet, change a tenth of its demands, plan it again, and take a turn of the loop after a small change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    planned(whole_fleet(30, arguments.seed), State(), None, Kept())
    fleet = whole_fleet(arguments.nodes, arguments.seed)
    kept = Kept()
    with uncollected():  # as the loop decides
        first, state = planned(fleet, State(), None, kept)
        fleet = fleet.changed(arguments.seed)
        again, state = planned(fleet, state, state.fleet, kept)
        fleet = fleet.changed(1 + arguments.seed, FEW)
        small, _ = planned(fleet, state, state.fleet, kept)
    turn, look, why = turned(fleet, state, kept)
    nodes = sum(pool.nodes for pool in fleet.policy.pools)
    table = Table(title=f"planning {nodes} nodes, every rule in use")
    for name in ("", "first plan", "a tenth changed", "a small change"):
        table.add_column(name, justify="right")
    for name in first:
        if name != "seconds":
            table.add_row(name, *(str(facts[name]) for facts in (first, again, small)))
    for phase in first["seconds"]:
        table.add_row(f"{phase}, s", *(str(facts["seconds"].get(phase, 0)) for facts in (first, again, small)))
    table.add_row("turn, s", "", "", str(turn))
    table.add_row("look, s", "", "", str(look))
    table.add_row("why, s", "", "", str(why))
    Console(width=120).print(table)
    loop = {"turn": turn, "look": look, "why": why}
    print(last_line({"nodes": nodes, "first": first, "changed": again, "small": small, **loop}))


if __name__ == "__main__":
    main()
