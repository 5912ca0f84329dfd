"""Purchase: what must not run on preemptible nodes, say, runs only where nodes are bought in another way."""

from collections.abc import Iterable, Iterator

from policy.findings import Finding
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.pools import excluded_pools
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation


class Purchase:
    """Each pool that runs a covered stage is bought in one of the ways that the clause names.

    Measured is how many pools of a stage are bought otherwise, one by one: 1 where it is so, and the limit is 0.
    """

    id = "purchase"
    finding_id = "GW1017"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any profile names ways to buy."""
        return any(profile.purchase for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the pools that are bought otherwise from every stage that the clause is meant for."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options in those pools, for each use of them."""
        for profile in problem.policy.compliance:
            clause = profile.purchase
            if clause is None:
                continue
            asked = ", ".join(clause.among)
            reasons = {
                pool.name: f"{pool.name} is bought as {pool.purchase}; {asked} is asked"
                for pool in problem.policy.pools
                if pool.purchase not in clause.among
            }
            yield from excluded_pools(self.id, problem, profile, clause.place, reasons)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Look at how the pool of every visit is bought."""
        for visit in visits(plan, problem):
            bought = problem.pool_of(visit.option).purchase
            for profile in problem.policy.compliance:
                clause = profile.purchase
                is_wrong = clause is not None and all(each is not bought for each in clause.among)
                if clause and is_wrong and is_covered(visit, profile):
                    yield Violation(self.id, str(visit), 1, 0, clause.place, bought.value)

    def explain(self, violation: Violation) -> Finding:
        """How the pool is bought."""
        message = (
            f"{violation.subject}: the pool is bought as {violation.quantity}, which is not among the ways asked for"
        )
        return violation.finding(self.finding_id, message, "let the stage run on another pool, or name this way, too")
