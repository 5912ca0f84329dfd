"""A better plan than the one that runs, looked for longer than a turn can: there is time while the fleet is at rest."""

import threading
from datetime import datetime
from typing import Final

from collectors.snapshot import Snapshot
from controller.decision import Proof, State
from controller.planning.build import build, write
from controller.planning.cheapest import least_saving
from controller.planning.choose import guarded_problem
from controller.planning.objective import cost_of, prices
from controller.planning.preemption import as_assured
from controller.planning.running import running_plan
from controller.planning.solve import solve
from controller.planning.verify import verify
from controller.planning.whole.rounds import Effort, plan_fleet
from controller.planning.whole.size import is_small
from controller.planning.work import PLAN_WORK
from policy.resolved import Policy
from rules.kernel.plan import Plan

LONGER: Final = (4, 16)
"""How many times as much work as a turn does, one after another until nothing better is possible; a minute at most."""


def polished(policy: Policy, snapshot: Snapshot, state: State, now: datetime, stop: threading.Event) -> Plan | None:
    """A verified plan that saves more than its moves cost, or None; `stop` ends the search soon.

    It need not come out the same again: the loop notes it in the journal and weighs it in a turn as pure as any.
    """
    built = build(policy, snapshot, state, now)
    running = running_plan(built.whole, built.loaded, state)
    problem = as_assured(guarded_problem(built, state, now), state)
    if verify(running, problem):
        return None
    form = write(problem)
    form.rows.append(prices(problem, running))
    best = running
    for times in LONGER:
        if stop.is_set():
            break
        if is_small(problem):
            found = solve(form, problem, best, times * PLAN_WORK, stop)
        else:
            found = plan_fleet(form, problem, best, effort=Effort(times, stop))
        if found.plan is not None and not verify(found.plan, problem):
            best = min(best, found.plan, key=lambda plan: cost_of(plan, form))
        if found.proof is Proof.OPTIMAL:
            break
    return best if cost_of(running, form) - cost_of(best, form) >= least_saving(problem) else None
