"""Separation: protected work never stands on a node that others may use."""

from collections.abc import Iterable, Iterator

from policy.clauses import ComplianceProfile
from policy.findings import Finding
from policy.resolved import Pool, Service
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.pools import excluded_pools
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation


class Separation:
    """Each pool that runs a covered stage is dedicated, and to no service that the stage is to be apart from.

    Those are the services within the clause's scope that its profile does not cover, whatever is removed on the way. It
    is the pool's dedication that counts, not who happens to stand there now: so nobody has to look at a node before
    another service moves in.
    Measured is how many of those services may use the pool; none may.
    """

    id = "separation"
    finding_id = "GW1026"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile separates."""
        return any(profile.separation for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the pools that such services may use from every stage that is to be apart from them."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options in those pools, for each use of them."""
        for profile in problem.policy.compliance:
            if profile.separation:
                others = _others(problem, profile)
                near = {
                    pool.name: [each.name for each in others if _may_use(each, pool)] for pool in problem.policy.pools
                }
                reasons = {pool: f"{pool} may be used by {min(names)}, too" for pool, names in near.items() if names}
                yield from excluded_pools(self.id, problem, profile, profile.separation.place, reasons)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Count the services that may use the pool of every covered visit, and must not."""
        for visit in visits(plan, problem):
            pool = problem.pool_of(visit.option)
            for profile in problem.policy.compliance:
                clause = profile.separation
                if clause is None or not is_covered(visit, profile):
                    continue
                near = [
                    service.name
                    for service in problem.policy.services
                    if clause.others.means(service)
                    and not profile.covered(service)
                    and not (pool.dedicated_to and not pool.dedicated_to.means(service))
                ]
                if near:
                    yield Violation(self.id, str(visit), len(near), 0, clause.place, min(near))

    def explain(self, violation: Violation) -> Finding:
        """How many may use the pool, and one of them."""
        message = (
            f"{violation.subject}: services that may use the same nodes and must not: {violation.measured}, such as "
            f"{violation.quantity}; allowed: {violation.limit}"
        )
        hint = "dedicate a pool to what the profile covers (`dedicatedTo`), or be apart from fewer services"
        return violation.finding(self.finding_id, message, hint)


def _others(problem: Problem, profile: ComplianceProfile) -> list[Service]:
    """The services that what the profile covers is to be apart from."""
    scope = profile.separation.others if profile.separation else None
    return [each for each in problem.policy.services if scope and scope.means(each) and not profile.covered(each)]


def _may_use(service: Service, pool: Pool) -> bool:
    return pool.dedicated_to is None or pool.dedicated_to.means(service)
