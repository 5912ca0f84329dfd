"""The part of a problem where a conflict is: what to ask about instead of the whole.

A linear programme serves as much as it can, over whole pools. Where it falls short, the rows with a price are a proof of
that: they alone cannot all hold (Farkas). The demands in them, and the clauses behind them and behind the paths that
would have helped, are the part.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.sparse import csr_array, hstack
from scipy.sparse.csgraph import connected_components

from controller.planning.clauses import Clause, clause_of, clauses_of
from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.linear import Floats, Matrix, Solution, matrix, minimise
from controller.planning.questions import Questions, in_full
from rules.kernel.formulation import Count, Flow, Formulation, Ladder, Distinct, Row
from rules.kernel.problem import Problem

PRICED: Final = 1e-6
"""Prices below this are rounding."""


@dataclass(frozen=True, slots=True)
class Part:
    """Services and clauses that cannot all have what they ask for."""

    services: frozenset[str]
    clauses: frozenset[Clause]


def parts(questions: Questions) -> tuple[Part, ...]:
    """The parts that fall short, each unconnected with the others, the smallest first; none when pools are enough."""
    pooled = PooledForm(in_full(questions.form), questions.problem)
    rows = matrix(pooled)
    solution = _least_short(rows, np.array(pooled.upper, np.float64))
    if solution is None or solution.cost < PRICED:
        return ()
    priced = np.flatnonzero(np.abs(solution.price * rows.scale) > PRICED)
    columns = len(pooled.upper)
    helping = np.flatnonzero((np.array(pooled.upper) == 0) & (solution.reduced[:columns] < -PRICED))
    found = _components(rows, priced, np.array(pooled.upper) > 0)
    wanted = _wanted(questions, pooled, helping)
    made = [_part([pooled.rows[i].source for i in group], questions.problem, wanted) for group in found]
    return tuple(sorted((part for part in made if part.services), key=lambda part: (len(part.services), part.clauses)))


def _least_short(rows: Matrix, upper: Floats) -> Solution | None:
    """What falls least short of the rows that ask for something, each measured in parts of what it asks for."""
    short = np.flatnonzero(np.isfinite(rows.lowest) & (rows.lowest > 0))
    slack = csr_array((np.ones(short.size), (short, np.arange(short.size))), shape=(rows.scale.size, short.size))
    wider = rows._replace(factors=csr_array(hstack((rows.factors, slack), format="csr")))
    cost = np.concatenate((np.zeros(upper.size), 1 / rows.lowest[short]))
    return minimise(wider, cost, np.concatenate((upper, np.full(short.size, np.inf))))


def _components(rows: Matrix, priced: np.ndarray, used: np.ndarray) -> list[list[int]]:
    """The priced rows, those together that have a column in common."""
    inside = abs(rows.factors[priced][:, np.flatnonzero(used)])
    _, label = connected_components(inside @ inside.T, directed=False)
    return [priced[label == group].tolist() for group in range(int(label.max(initial=-1)) + 1)]


def _wanted(questions: Questions, pooled: PooledForm, helping: np.ndarray) -> dict[str, set[Clause]]:
    """By demand, the clauses that bar a path which would have helped."""
    columns = set(helping.tolist())
    found: dict[str, set[Clause]] = {}
    for path in questions.problem.paths:
        if pooled.share[path.id] in columns:
            for row in questions.barring.get(path.id, ()):
                if clause := clause_of(row):
                    found.setdefault(path.demand, set()).add(clause)
    return found


def _part(rows: list[Row | None], problem: Problem, wanted: dict[str, set[Clause]]) -> Part:
    demands = {name for row in rows if isinstance(row, Flow) for name, _ in row.unserved}
    clauses = {clause for row in rows if row and (clause := clause_of(row))}
    clauses |= {clause for name in demands for clause in wanted.get(name, ())}
    services = {problem.demand(name).service for name in demands}
    services |= {row.service for row in rows if isinstance(row, Ladder | Distinct) and row.service}
    return Part(frozenset(services), frozenset(clauses))


def restricted(questions: Questions, part: Part) -> Problem:
    """The problem of a part: its services, with what they can stand on and what its counts speak of."""
    problem = questions.problem
    if part.services == {service.name for service in problem.policy.services}:
        return problem
    demands = tuple(demand for demand in problem.demands if demand.service in part.services)
    names = {demand.id for demand in demands}
    paths = tuple(path for path in problem.paths if path.demand in names)
    options = {option for path in paths for option in path.options} | {
        option
        for row in questions.form.rows
        if isinstance(row, Count) and clause_of(row) in part.clauses
        for option in row.options
    }
    services = tuple(service for service in problem.policy.services if service.name in part.services)
    return replace(
        problem,
        policy=replace(problem.policy, services=services),
        demands=demands,
        paths=paths,
        options=tuple(option for option in problem.options if option.id in options),
    )


def on_part(questions: Questions, problem: Problem) -> frozenset[Clause]:
    """The clauses that a part can be held to: all but those that ask for instances of what it leaves out."""
    options = {option.id for option in problem.options}
    beyond = {
        clause_of(row)
        for row in questions.form.rows
        if isinstance(row, Count) and row.lowest > 0 and not options.issuperset(row.options)
    }
    return clauses_of(questions.form) - beyond
