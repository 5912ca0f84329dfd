"""What a degraded service makes room for, and what would have to be given up in its place.

Levels and refused requests are priced by priority above everything else (`objective.py`), so that a lower priority
gives way before a higher one. Here one service is held at its full promise, and it is seen who gives way then.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np

from controller.decision import Proof
from controller.planning.explaining.clauses import EVERYTHING
from controller.planning.explaining.questions import Questions
from controller.planning.meter import A_PRICE
from controller.planning.pooled.linear import attempt
from controller.planning.preemption import never_preempting
from controller.planning.solve import solve
from controller.planning.whole.size import is_small
from controller.planning.work import OTHER_PLAN_WORK
from rules.kernel.formulation import Exclusion, Formulation, Ladder, Row
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem

NOTHING = 1e-6

_Levels = dict[str, tuple[int, int]]
"""By service, its level and what is refused of it in permille, summed over its demands."""


@dataclass(frozen=True, slots=True)
class Sacrifice:
    """A degraded service with its priority, and those that would be degraded further for it, each with its priority.

    `possible` is false when it could not be served in full whatever the others give up. It `waits` when it does not
    preempt, and some of those others have no higher priority.
    """

    service: str
    priority: int
    instead: tuple[tuple[str, int], ...]
    possible: bool
    waits: bool = False


def sacrifices(plan: Plan, questions: Questions, hopeless: Collection[str] = ()) -> tuple[Sacrifice, ...]:
    """One for each service that the plan does not serve as promised, the dearest first, within the limit of work.

    `hopeless` are services that are known not to be served in full even alone.
    """
    now = _short(plan, questions.problem)
    policy = questions.problem.policy
    priority, never = {service.name: service.priority for service in policy.services}, never_preempting(policy)
    short = sorted((name for name in now if now[name] > (0, 0)), key=lambda name: (-priority[name], name))
    engine = _Small(questions) if is_small(questions.problem) else _Large(questions)
    found = []
    for name in short:
        if name not in hopeless and not engine.is_affordable():
            break
        then, none = engine.held(name) if name not in hopeless else (None, True)
        if then is None and not none:
            continue
        worse = (other for other in now if then is not None and then[other] > now[other])
        instead = tuple((other, priority[other]) for other in worse)
        waits = name in never and any(other <= priority[name] for _, other in instead)
        found.append(Sacrifice(name, priority[name], instead, possible=then is not None, waits=waits))
    return tuple(found)


def services_short(plan: Plan, problem: Problem) -> tuple[str, ...]:
    """The services that a plan does not serve as promised."""
    return tuple(name for name, short in _short(plan, problem).items() if short > (0, 0))


class _Small:
    """Plans on nodes, by CP-SAT."""

    def __init__(self, questions: Questions) -> None:
        self._problem = questions.problem
        self._meter = questions.meter
        self._form = questions.priced(EVERYTHING).form

    def is_affordable(self) -> bool:
        """Whether the limit of work leaves room for one more plan."""
        return not self._meter.is_over

    def held(self, service: str) -> tuple[_Levels | None, bool]:
        """How far each service falls short while one is held at its full promise; and whether it cannot be."""
        found = solve(Formulation(list(_held(self._form, service))), self._problem, None, OTHER_PLAN_WORK)
        levels = _short(found.plan, self._problem) if found.plan is not None else None
        return levels, found.proof is Proof.INFEASIBLE


class _Large:
    """A linear programme over pools, the same each time but for the levels of one service."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._programme = questions.programme(EVERYTHING, full=False)

    def is_affordable(self) -> bool:
        """As of `_Small`."""
        return self._questions.meter.affords(self._programme.rows, A_PRICE)

    def held(self, service: str) -> tuple[_Levels | None, bool]:
        """As of `_Small`."""
        form, upper = self._programme.form, self._programme.narrow()
        upper[[column for (name, _), column in form.at_least.items() if name == service]] = 0
        self._questions.meter.solved(self._programme.rows, A_PRICE)
        solution, none = attempt(self._programme.rows, form.cost, upper)
        if solution is None:
            return None, none
        problem = self._questions.problem
        level = dict.fromkeys((service.name for service in problem.policy.services), 0.0)
        for (name, _), column in form.at_least.items():
            level[name] += float(solution.value[column])
        refused = dict.fromkeys(level, 0.0)
        for demand in problem.demands:
            refused[demand.service] += float(solution.value[form.unserved[demand.id]])
        return {name: (int(np.ceil(level[name] - NOTHING)), round(refused[name])) for name in level}, False


def _held(form: Formulation, service: str) -> Iterator[Row]:
    """The rows with one service at level 0."""
    for row in form.rows:
        if isinstance(row, Ladder) and row.service == service:
            yield from (Exclusion(row.rule, "a degrade step", None, path=path) for path, level in row.gates if level)
            steps = len(row.unserved_permille)
            yield replace(row, gates=(), unserved_permille=row.unserved_permille[:1] * steps)
        else:
            yield row


def _short(plan: Plan, problem: Problem) -> _Levels:
    refused = {service.name: 0 for service in problem.policy.services}
    for demand in problem.demands:
        refused[demand.service] += plan.unserved_permille(demand.id)
    return {name: (plan.level(name), permille) for name, permille in refused.items()}
