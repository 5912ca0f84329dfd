"""What a decision says of its plan: reasons, until when it is valid, and findings."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from controller.decision import Reason
from controller.planning.conflict import Conflict
from policy.findings import Finding, Level
from rules.catalogue import RULES
from rules.certification import Certification
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem
from rules.kernel.rule import Violation

FOREVER_S: Final = 253_402_300_799
"""The last second that a datetime can name."""


def reasons(plan: Plan, problem: Problem) -> tuple[Reason, ...]:
    """Each placement of the plan with the stages of the demands that are routed to it."""
    serves: dict[Placement, set[str]] = {}
    for route in plan.routes:
        path = problem.path(route.path)
        demand = problem.demand(path.demand)
        for stage, option in zip(problem.service_of(demand).stages, path.options, strict=True):
            serves.setdefault(problem.option(option).placement, set()).add(f"{demand.id}/{stage.name}")
    return tuple(
        Reason(placement, count, tuple(sorted(serves.get(placement, ()))))
        for placement, count in sorted(plan.placements(problem).items())
    )


def valid_until(plan: Plan, problem: Problem) -> datetime | None:
    """When the certifications first run out, renewals included, that the plan's routes rest on; None without any."""
    lasting = replace(problem, needed_until_s=FOREVER_S)
    ends = [v.measured for v in Certification().check(plan, lasting) if v.measured]
    return datetime.fromtimestamp(min(ends), UTC) if ends else None


def violated(violations: tuple[Violation, ...]) -> tuple[Finding, ...]:
    """Violations as findings, each in its rule's words."""
    by_id = {rule.id: rule for rule in RULES}
    return tuple(by_id[violation.rule].explain(violation) for violation in violations)


def degrade_findings(plan: Plan, problem: Problem) -> tuple[Finding, ...]:
    """One finding for each service that is not served as promised."""
    found = []
    for service in problem.policy.services:
        level = plan.level(service.name)
        refused = {d.id: plan.unserved_permille(d.id) for d in problem.demands if d.service == service.name}
        if level or any(refused.values()):
            steps = "best effort" if level > len(service.degrade) else f"step {level} of its degrade order"
            shares = ", ".join(f"{name} {share / 10:g} %" for name, share in refused.items() if share)
            found.append(
                Finding(
                    "GW2010",
                    Level.ERROR if level > len(service.degrade) else Level.WARNING,
                    f"{service.name} is at {steps}" + (f"; refused: {shares}" if shares else ""),
                    "the finding GW2011 names the clauses that cannot all hold; loosen one of them or add capacity",
                    service.place,
                    service.name,
                )
            )
    return tuple(found)


def conflict_finding(found: Conflict) -> Finding:
    """The clashing clauses as one finding, at the first of them."""
    clauses = "; ".join(f"{clause.rule} ({clause.place})" for clause in found.clauses)
    return Finding(
        "GW2011",
        Level.ERROR,
        f"these clauses cannot all hold: {clauses}" if found.clauses else "no clause alone explains why this cannot be",
        (
            "at least one of them has to give, and any one is enough to end this conflict; others may show up then"
            if found.proven
            else "loosening one of them may help; not every question was decided in time"
        ),
        found.clauses[0].place if found.clauses else None,
    )
