"""The part of a problem where a conflict is: what to ask about instead of the whole.

A linear programme serves as much as it can, over whole pools. Where it falls short, the rows with a price prove it:
these alone cannot hold together (Farkas). The services in them, with the clauses behind them and behind what bars the
services' paths, are the part.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.sparse import csr_array, hstack
from scipy.sparse.csgraph import connected_components

from controller.planning.explaining.clauses import EVERYTHING, Clause, clause_of
from controller.planning.explaining.questions import Questions
from controller.planning.pooled.linear import Floats, Matrix, Solution, minimise
from rules.kernel.formulation import Count, Distinct, Flow, Ladder, Row
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
    programme = questions.programme(EVERYTHING)
    form, rows, at, upper = programme.form, programme.rows, programme.at, programme.narrow()
    questions.meter.solved(rows)
    counts = list(form.instances.values())
    upper[counts] = np.where(upper[counts] > 0, np.inf, 0)  # rows bound them too, and rows have clauses behind them
    solution = _least_short(rows, upper)
    if solution is None or solution.cost < PRICED:
        return ()
    priced = np.flatnonzero(np.abs(solution.price * rows.scale) > PRICED)
    made: dict[frozenset[str], Part] = {}
    for group in _components(rows, priced, upper > 0):
        part = _part([form.rows[at[i]].source for i in group], questions)
        known = made.get(part.services, part)
        made[part.services] = Part(part.services, part.clauses | known.clauses)
    return tuple(sorted((part for part in made.values() if part.services), key=_size))


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


def _part(rows: list[Row | None], questions: Questions) -> Part:
    """The services of these rows; their clauses, and those that bar a path of the services."""
    problem = questions.problem
    demands = {name for row in rows if isinstance(row, Flow) for name, _ in row.unserved}
    services = {problem.demand(name).service for name in demands}
    services |= {row.service for row in rows if isinstance(row, Ladder)}
    services |= {name for row in rows if isinstance(row, Distinct | Flow) for name in row.services}
    paths = (path.id for service in sorted(services) for path in questions.paths_of.get(service, ()))
    behind = [row for row in rows if row] + [row for path in paths for row in questions.barred.by_path.get(path, ())]
    return Part(frozenset(services), frozenset(clause for row in behind if (clause := clause_of(row))))


def _size(part: Part) -> tuple[int, list[str]]:
    return len(part.services), sorted(part.services)


def restricted(questions: Questions, part: Part) -> Problem:
    """The problem of a part: its services, with what they can stand on and what its counts speak of.

    Other services that call one of these models stay, without demands: where they may use it, it may stand.
    """
    problem = questions.problem
    if part.services == {service.name for service in problem.policy.services}:
        return problem
    demands = tuple(demand for demand in problem.demands if demand.service in part.services)
    names = {demand.id for demand in demands}
    paths = tuple(path for path in problem.paths if path.demand in names)
    options = {option for path in paths for option in path.options} | {
        option
        for clause in part.clauses
        for row in questions.rows_of.get(clause, ())
        if isinstance(row, Count)
        for option in row.options
    }
    kept = tuple(option for option in problem.options if option.id in options)
    models = {option.placement.model for option in kept}
    services = tuple(
        service
        for service in problem.policy.services
        if service.name in part.services or not models.isdisjoint(stage.model for stage in service.stages)
    )
    return replace(
        problem, policy=replace(problem.policy, services=services), demands=demands, paths=paths, options=kept
    )


def on_part(questions: Questions, problem: Problem) -> frozenset[Clause]:
    """The clauses that a part can be held to: all but those that ask for instances of what it leaves out."""
    options = {option.id for option in problem.options}
    beyond = {
        clause
        for clause, rows in questions.rows_of.items()
        for row in (rows if isinstance(rows[0], Count) else ())
        if isinstance(row, Count) and row.lowest > 0 and not options.issuperset(row.options)
    }
    return questions.clauses - beyond
