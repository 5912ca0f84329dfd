"""Solving a form with CP-SAT: deterministic, bounded, and always with the best answer so far."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from ortools.sat.python import cp_model

from controller.decision import Proof
from controller.planning.cpsat import CpSatForm, Ranges
from controller.planning.objective import cost_of
from controller.planning.work import PLAN_WORK, TIE_WORK
from rules.kernel.formulation import Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem

WALL_LIMIT_S: Final = 60.0
"""Only against a solver that hangs; a solve that ends by it is reported as undecided, for it could not be replayed."""
STOPPED_WITHIN_S: Final = 0.1
NEAR_WORK: Final = 0.01
"""Deterministic time for shares that are looked for near others."""

PROOFS: Final = {
    cp_model.OPTIMAL: Proof.OPTIMAL,
    cp_model.FEASIBLE: Proof.FEASIBLE,
    cp_model.INFEASIBLE: Proof.INFEASIBLE,
}


@dataclass(frozen=True, slots=True)
class Solved:
    """A plan, None when there is none; its cost and the proven bound in millicents an hour, and the work it took."""

    plan: Plan | None
    proof: Proof
    cost: int
    bound: int
    work: float


def solve(
    form: Formulation,
    problem: Problem,
    hint: Plan | None = None,
    work_limit: float = PLAN_WORK,
    stop: threading.Event | None = None,
    *,
    most: int | None = None,
    gap: int = 0,
) -> Solved:
    """The cheapest plan that keeps every row, starting from `hint`; with `most`, none that costs more than that.

    A plan that is proven to cost at most `gap` millicents an hour more than any other ends the search.

    With `stop` it ends as soon as that is set, and gives the best plan so far, also when it ran against the wall: what
    can be stopped is not replayed.
    """
    engine = CpSatForm(form, problem)
    if most is not None:
        engine.cost_at_most(most)
    if hint is not None:
        engine.hint(hint)
    solver = limited(work_limit)
    solver.parameters.absolute_gap_limit = gap
    with _ended_by(stop, solver):
        status = solver.solve(engine.model)
    proof = PROOFS.get(status, Proof.UNDECIDED)
    if (stop is None and solver.wall_time >= WALL_LIMIT_S) or proof in {Proof.INFEASIBLE, Proof.UNDECIDED}:
        undecided = Proof.INFEASIBLE if proof is Proof.INFEASIBLE else Proof.UNDECIDED
        return Solved(None, undecided, 0, 0, solver.deterministic_time)
    plan = engine.plan(solver.value)
    return Solved(
        plan, proof, round(solver.objective_value), round(solver.best_objective_bound), solver.deterministic_time
    )


def solve_in_turn(
    form: Formulation,
    problem: Problem,
    hint: Plan | None,
    giving_up_work: float,
    price_work: float,
    *,
    gap: int = 0,
    near: Callable[[Plan], Iterable[Ranges]] | None = None,
) -> Solved:
    """A plan that gives up the least, and of those the cheapest, within `gap` millicents an hour.

    In one sum, a permille of a demand counts ten million times as much as a node; each question by itself is easier.
    Without a plan for the second, the answer to the first is given. `near` tells for the first answer within which
    shares to look for the second, one after the other; where there is none, all are looked at, and of those that cost
    the same the soonest are taken.
    """
    engine = CpSatForm(form, problem)
    engine.prefer_least_given_up()
    if hint is not None:
        engine.hint(hint)
    first = limited(giving_up_work)
    proof = PROOFS.get(first.solve(engine.model), Proof.UNDECIDED)
    if first.wall_time >= WALL_LIMIT_S or proof in {Proof.INFEASIBLE, Proof.UNDECIDED}:
        return Solved(None, proof if proof is Proof.INFEASIBLE else Proof.UNDECIDED, 0, 0, first.deterministic_time)
    plan = engine.plan(first.value)
    engine.prefer_cheapest(round(first.objective_value))
    engine.hint(plan)
    work = first.deterministic_time
    for ranges in near(plan) if near else ():
        engine.keep_within(ranges)
        found, more = _cheapest(engine, NEAR_WORK, gap)
        work += more
        if found is not None:
            return Solved(found, Proof.FEASIBLE, cost_of(found, form), 0, work)
    engine.keep_within({})
    found, more = _cheapest(engine, price_work, gap)
    plan = plan if found is None else found
    if near:
        plan = nearest(form, problem, plan, cost_of(plan, form), NEAR_WORK)
    return Solved(plan, Proof.FEASIBLE, cost_of(plan, form), 0, work + more)


def _cheapest(engine: CpSatForm, work_limit: float, gap: int) -> tuple[Plan | None, float]:
    """The best plan found for what is asked, and the work it took."""
    solver = limited(work_limit)
    solver.parameters.absolute_gap_limit = gap
    status = solver.solve(engine.model)
    answered = solver.wall_time < WALL_LIMIT_S and status in {cp_model.OPTIMAL, cp_model.FEASIBLE}
    return engine.plan(solver.value) if answered else None, solver.deterministic_time


def nearest(form: Formulation, problem: Problem, plan: Plan, cost: int, work_limit: float = TIE_WORK) -> Plan:
    """Of the plans that cost no more than `plan` does, the one whose requests are answered soonest on the mean.

    Where two plans cost the same, the network decides. Gives `plan` itself when nothing better was found in time.
    """
    engine = CpSatForm(form, problem)
    engine.hint(plan)
    engine.prefer_soonest(cost)
    solver = limited(work_limit)
    status = solver.solve(engine.model)
    replayable = solver.wall_time < WALL_LIMIT_S and status in {cp_model.OPTIMAL, cp_model.FEASIBLE}
    return engine.plan(solver.value) if replayable else plan


@contextmanager
def _ended_by(stop: threading.Event | None, solver: cp_model.CpSolver) -> Iterator[None]:
    """End a solve as soon as `stop` is set."""
    if stop is None:
        yield
        return
    done = threading.Event()

    def watch() -> None:
        while not done.wait(STOPPED_WITHIN_S):
            if stop.is_set():
                solver.stop_search()

    watcher = threading.Thread(target=watch, name="stop")
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def limited(work_limit: float) -> cp_model.CpSolver:
    """A solver that gives the same answer on every machine."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    # Its own handler would outlive the solve and end the process at the next Ctrl-C, before anything is put in order.
    solver.parameters.catch_sigint_signal = False
    solver.parameters.random_seed = 1
    solver.parameters.linearization_level = 2
    solver.parameters.max_deterministic_time = work_limit
    solver.parameters.max_time_in_seconds = WALL_LIMIT_S
    return solver
