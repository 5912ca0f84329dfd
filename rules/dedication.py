"""Dedication: a pool that is kept for some services runs nothing for others."""

from collections.abc import Iterable, Iterator

from policy.findings import Finding
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import visits
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation


class Dedication:
    """Each stage in a pool that is dedicated is of a service that the pool is dedicated to.

    Measured is how many pools of a stage are dedicated to others, one by one: 1 where it is so, and the limit is 0.
    """

    id = "dedication"
    finding_id = "GW1025"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any pool is dedicated."""
        return any(pool.dedicated_to for pool in problem.policy.pools)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the options in such pools from the stages of other services."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """Those options, for each use of them."""
        dedicated = [(pool, pool.dedicated_to) for pool in problem.policy.pools if pool.dedicated_to]
        for demand in problem.demands:
            service = problem.service_of(demand)
            barred = {pool.name: pool for pool, scope in dedicated if not scope.means(service)}
            for stage in service.stages if barred else ():
                for option in problem.options_of(stage.model):
                    pool = barred.get(option.placement.pool)
                    if pool:
                        reason = f"{pool.name} is dedicated to other services"
                        yield Exclusion(self.id, reason, pool.place, option.id, demand.id, stage.name)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Look for whom the pool of every visit is."""
        for visit in visits(plan, problem):
            pool = problem.pool_of(visit.option)
            if pool.dedicated_to and not pool.dedicated_to.means(problem.service_of(visit.demand)):
                yield Violation(self.id, str(visit), 1, 0, pool.place, pool.name)

    def explain(self, violation: Violation) -> Finding:
        """Which pool is for others."""
        message = f"{violation.subject}: {violation.quantity} is dedicated to other services"
        return violation.finding(
            self.finding_id, message, "let the stage run in another pool, or dedicate it to this one, too"
        )
