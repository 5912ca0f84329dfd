"""Placement: a stage runs only in pools that its service allows."""

from collections.abc import Iterable, Iterator
from typing import Final

from policy.findings import Finding
from policy.resolved import PoolsClause
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import visits
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation

TOLD: Final = {"among": "is not among those that the stage may", "outside": "is one of those that the stage may not"}


class Placement:
    """Each pool that a stage's requests go to is among those, or outside of those, that each clause for it names.

    Measured is how many pools of a stage are not, one by one: 1 where it is so, and the limit is 0.
    """

    id = "placement"
    finding_id = "GW1022"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any service says where it may run."""
        return any(service.pools for service in problem.policy.services)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the options in other pools from the stages that a clause is meant for."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """Those options, for each use of them."""
        barred = {
            service.name: [(clause, _barred(problem, clause)) for clause in service.pools]
            for service in problem.policy.services
            if service.pools
        }
        for demand in problem.demands:
            for clause, reasons in barred.get(demand.service, ()):
                for stage in problem.service_of(demand).stages:
                    for option in problem.options_of(stage.model) if _is_meant(clause, stage.name) else ():
                        reason = reasons.get(option.placement.pool)
                        if reason:
                            yield Exclusion(self.id, reason, clause.place, option.id, demand.id, stage.name)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Hold the pool of every visit to the names in each clause of its service."""
        for visit in visits(plan, problem):
            pool = problem.pool_of(visit.option)
            for clause in problem.service_of(visit.demand).pools:
                is_named = (
                    (not clause.sites or pool.site in clause.sites)
                    and (not clause.pools or pool.name in clause.pools)
                    and (not clause.devices or pool.device in clause.devices)
                )
                if _is_meant(clause, visit.stage.name) and is_named is clause.is_barred:
                    word = "outside" if clause.is_barred else "among"
                    yield Violation(self.id, str(visit), 1, 0, clause.place, word)

    def explain(self, violation: Violation) -> Finding:
        """Which way round the pool misses the clause."""
        message = f"{violation.subject}: the pool {TOLD[violation.quantity]} run in"
        return violation.finding(self.finding_id, message, "let the stage run in another pool, or change the clause")


def _barred(problem: Problem, clause: PoolsClause) -> dict[str, str]:
    """By pool that the clause does not admit, why."""
    given = (("site", clause.sites), ("pool", clause.pools), ("device", clause.devices))
    what = " and ".join(f"{field} {' or '.join(names)}" for field, names in given if names)
    asked = f"kept from {what}" if clause.is_barred else f"kept to {what}"
    return {
        pool.name: f"{pool.name} is not for it: it is {asked}"
        for pool in problem.policy.pools
        if not clause.admits(pool)
    }


def _is_meant(clause: PoolsClause, stage: str) -> bool:
    return not clause.stages or stage in clause.stages
