"""What a degraded service makes room for, and what would have to be given up in its place.

Levels and refused requests are priced by priority above everything else (`objective.py`), so that a lower priority
gives way before a higher one. Here one service is held at its full promise, and it is seen who gives way then.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from controller.planning.build import write
from controller.planning.objective import prices
from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.linear import matrix, minimise
from controller.planning.solve import solve
from controller.planning.whole.size import is_small
from rules.kernel.formulation import Exclusion, Formulation, Ladder, Row
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem

WORK_LIMIT = 1.0
"""Deterministic time of one plan."""
NOTHING = 1e-6


@dataclass(frozen=True, slots=True)
class Sacrifice:
    """A degraded service with its priority, and those that would be degraded further for it, each with its priority.

    `possible` is false when it could not be served in full whatever the others give up.
    """

    service: str
    priority: int
    instead: tuple[tuple[str, int], ...]
    possible: bool


def sacrifices(plan: Plan, problem: Problem, running: Plan) -> tuple[Sacrifice, ...]:
    """One for each service that the plan does not serve as promised."""
    problem = replace(problem, floors=())
    form = write(problem)
    form.add(prices(problem, running))
    now = _short(plan, problem)
    return tuple(_sacrifice(name, now, form, problem) for name in now if now[name] > (0, 0))


def _sacrifice(name: str, now: dict[str, tuple[int, int]], form: Formulation, problem: Problem) -> Sacrifice:
    held = Formulation(list(_held(form, name)))
    then = _solved(held, problem)
    priority = {service.name: service.priority for service in problem.policy.services}
    if then is None:
        return Sacrifice(name, priority[name], (), possible=False)
    worse = (other for other in now if then[other] > now[other])
    return Sacrifice(name, priority[name], tuple((other, priority[other]) for other in worse), possible=True)


def _held(form: Formulation, service: str) -> Iterator[Row]:
    """The rows with one service at level 0."""
    for row in form.rows:
        if isinstance(row, Ladder) and row.service == service:
            yield from (Exclusion(row.rule, "a degrade step", None, path=path) for path, level in row.gates if level)
            steps = len(row.unserved_permille)
            yield replace(row, gates=(), unserved_permille=row.unserved_permille[:1] * steps)
        else:
            yield row


def _solved(form: Formulation, problem: Problem) -> dict[str, tuple[int, int]] | None:
    if is_small(problem):
        found = solve(form, problem, None, WORK_LIMIT)
        return _short(found.plan, problem) if found.plan is not None else None
    pooled = PooledForm(form, problem)
    solution = minimise(matrix(pooled), pooled.cost, pooled.upper)
    if solution is None:
        return None
    level = dict.fromkeys((service.name for service in problem.policy.services), 0.0)
    for (name, _), column in pooled.at_least.items():
        level[name] += float(solution.value[column])
    refused = dict.fromkeys(level, 0.0)
    for demand in problem.demands:
        refused[demand.service] += float(solution.value[pooled.unserved[demand.id]])
    return {name: (int(np.ceil(level[name] - NOTHING)), round(refused[name])) for name in level}


def _short(plan: Plan, problem: Problem) -> dict[str, tuple[int, int]]:
    """By service, its level and what is refused of it in permille, summed over its demands."""
    refused = {service.name: 0 for service in problem.policy.services}
    for demand in problem.demands:
        refused[demand.service] += plan.unserved_permille(demand.id)
    return {name: (plan.level(name), permille) for name, permille in refused.items()}
