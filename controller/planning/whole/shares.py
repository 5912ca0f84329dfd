"""Shares in parts, where instances, levels and what is refused are known: a linear programme, and nearly the answer.

Few whole permilles lie next to its shares. To prove which of all whole ones are the cheapest takes the longest.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from controller.planning.cpsat import MEDIAN_BP, Ranges
from controller.planning.whole.reading import Reading, highest_levels
from rules.kernel.formulation import Budget, Flow, Formulation, Ladder, Penalty
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE, Problem

WINDOWS: Final = (6, 25)
"""Permille below and above a share that are looked at, one after the other."""
EXACT: Final = 1e-6
"""Permille: what is so near a whole one is that."""


class Bounded(NamedTuple):
    """A sum of shares with its ends, infinite where they are open."""

    lowest: float
    terms: tuple[tuple[str, int], ...]
    highest: float


def near(form: Formulation, problem: Problem, plan: Plan, gap: int) -> Iterator[Ranges]:
    """Whole permilles around the cheapest shares in parts, at a plan's levels and with what it refuses.

    Of nearly as cheap ones they are the soonest: that everything is answered at once is worth `gap` millicents an hour.
    The form has no unknowns but shares, refusals and levels. Nothing where no shares were found.
    """
    parts = _parts(form, problem, Reading.of(plan), gap)
    for window in WINDOWS if parts else ():
        yield {
            path: (max(0, math.floor(share + EXACT) - window), min(WHOLE_PERMILLE, math.ceil(share - EXACT) + window))
            for path, share in parts.items()
        }


def _parts(form: Formulation, problem: Problem, at: Reading, gap: int) -> Mapping[str, float]:
    """By path, its share in permille."""
    from ortools.linear_solver import pywraplp  # noqa: PLC0415 - small fleets have no use for it

    solver = pywraplp.Solver.CreateSolver("GLOP")
    closed = _closed(form, at)
    most = {path.id: 0.0 if path.id in closed else float(WHOLE_PERMILLE) for path in problem.paths}
    shares = {path: solver.NumVar(0.0, highest, "") for path, highest in most.items()}
    for lowest, terms, highest in _bounded(form, at):
        scale = max((abs(factor) for _, factor in terms), default=0)
        if scale:
            row = solver.Constraint(lowest / scale, highest / scale)
            for path, factor in terms:
                row.SetCoefficient(shares[path], factor / scale)
    cost = solver.Objective()
    for path, price in _prices(form, problem, gap).items():
        cost.SetCoefficient(shares[path], price)
    if solver.Solve() != pywraplp.Solver.OPTIMAL:
        return {}
    return {path: share.solution_value() for path, share in shares.items()}


def _closed(form: Formulation, at: Reading) -> frozenset[str]:
    """The paths that the levels do not open."""
    ladders = (row for row in form.rows if isinstance(row, Ladder))
    return frozenset(path for row in ladders for path, level in row.gates if at.levels.get(row.service, 0) < level)


def _bounded(form: Formulation, at: Reading) -> Iterator[Bounded]:
    tops = highest_levels(form)
    for row in form.rows:
        if isinstance(row, Flow) and not at.gives_up(row.services, tops):
            there = sum(factor * at.unserved.get(demand, 0) for demand, factor in row.unserved)
            lowest = -math.inf if row.lowest is None else float(row.lowest - there)
            highest = math.inf if row.highest is None else float(row.highest - there)
            yield Bounded(lowest, row.shares, highest)
        elif isinstance(row, Budget):
            yield Bounded(-math.inf, row.carried_millicents, float(WHOLE_PERMILLE * row.ceiling_millicents))


def _prices(form: Formulation, problem: Problem, gap: int) -> Mapping[str, float]:
    """By path, millicents an hour for a permille of its demand: what links cost, and a little for being late."""
    found: defaultdict[str, float] = defaultdict(float)
    for row in form.rows:
        for name, price in row.carried if isinstance(row, Penalty) else ():
            found[name] += price / WHOLE_PERMILLE
    latest: dict[str, int] = {}
    late: dict[str, int] = {}
    for path in problem.paths:
        late[path.id] = problem.demand(path.demand).rate_milli_rps * path.latency_at_us(MEDIAN_BP)
        latest[path.demand] = max(late[path.id], latest.get(path.demand, 0))
    whole = max(1, WHOLE_PERMILLE * sum(latest.values()))
    for name, value in late.items():
        found[name] += gap * value / whole
    return found
