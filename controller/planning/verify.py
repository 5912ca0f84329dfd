"""The last word on a plan: every rule measures it, and no solver is asked."""

from collections.abc import Iterable
from enum import StrEnum

from policy.findings import Finding
from rules.catalogue import RULES
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation


class Moment(StrEnum):
    """When a plan is looked at: once the fleet has settled on it, or on the way there."""

    SETTLED = "settled"
    PASSING = "passing"


def verify(
    plan: Plan, problem: Problem, moment: Moment = Moment.SETTLED, apart: frozenset[str] = frozenset()
) -> tuple[Violation, ...]:
    """Everything that the plan breaks; nothing when it may reach an actuator. The rules `apart` are not asked."""
    return tuple(
        violation
        for rule in RULES
        if (rule.always or moment is Moment.SETTLED) and rule.id not in apart and rule.applies(problem)
        for violation in rule.check(plan, problem)
    )


def introduced(after: Iterable[Violation], before: Iterable[Violation]) -> tuple[Violation, ...]:
    """The violations that are new, or worse than they were on the same subject."""
    known = {(v.rule, v.subject, v.place, v.quantity): abs(v.measured - v.limit) for v in before}
    return tuple(
        v for v in after if abs(v.measured - v.limit) > known.get((v.rule, v.subject, v.place, v.quantity), -1)
    )


def explained(violations: Iterable[Violation]) -> tuple[Finding, ...]:
    """Violations as findings, each in its rule's words."""
    by_id = {rule.id: rule for rule in RULES}
    return tuple(by_id[violation.rule].explain(violation) for violation in violations)
