"""Preemption: for the sake of services that do not preempt, no service falls below what it is assured of."""

from collections import Counter
from collections.abc import Iterable

from policy.findings import Finding
from rules.kernel.formulation import Assurance, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.quantities import percent
from rules.kernel.rule import Violation

LEVEL, UNSERVED = "level", "unserved"


class Preemption:
    """No service is at a higher degrade level, and of no demand more goes unserved, than it is assured of.

    Exactly that is kept. What services are assured of is found by planning without what services with
    `preemption: never` lack (`controller/planning/preemption.py`); a problem without it asks nothing.
    """

    id = "preemption"
    finding_id = "GW1080"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether a service is assured of anything."""
        return bool(problem.assured)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A row for each service that is assured of something."""
        for assured in problem.assured:
            place = problem.policy.service(assured.service).place
            form.add(Assurance(self.id, place, assured.service, assured.level, assured.unserved_permille))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Compare the level of each service, and what goes unserved of it, with what it is assured of."""
        refused: Counter[str] = Counter()
        for item in plan.unserved:
            refused[item.demand] += item.share_permille
        for assured in problem.assured:
            place = problem.policy.service(assured.service).place
            level = plan.level(assured.service)
            if level > assured.level:
                yield Violation(self.id, assured.service, level, assured.level, place, LEVEL)
            for demand, most in assured.unserved_permille:
                if refused[demand] > most:
                    yield Violation(self.id, demand, refused[demand], most, place, UNSERVED)

    def explain(self, violation: Violation) -> Finding:
        """What would be taken from whom."""
        subject, measured, limit = violation.subject, violation.measured, violation.limit
        messages = {
            LEVEL: f"{subject} would be at degrade level {measured} instead of {limit}",
            UNSERVED: f"{percent(measured)} of {subject} would go unserved instead of {percent(limit)}",
        }
        message = f"{messages[violation.quantity]}, for a service that does not preempt"
        hint = "make the plan anew from the current problem, or let the service that lacks something preempt"
        return violation.finding(self.finding_id, message, hint)
