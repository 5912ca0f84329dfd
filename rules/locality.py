"""Locality: what must not leave the place that it comes from is handled there."""

from collections.abc import Iterable, Iterator

from policy.clauses import LocalityClause
from policy.findings import Finding
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.hops import excluded
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation


class Locality:
    """Each covered stage runs at the site that its requests come from: it makes no hop.

    Measured are the hops of a stage, and none is allowed.
    """

    id = "locality"
    finding_id = "GW1024"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile keeps stages at the origin."""
        return any(profile.locality for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude each option at another site from the stages that stay."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options at other sites, for each use of them."""
        return excluded(self.id, problem, lambda profile: profile.locality, _leaves)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Count the hops of every stage in use that is covered."""
        for visit in visits(plan, problem):
            hops = len({visit.demand.origin, problem.pool_of(visit.option).site}) - 1
            for profile in problem.policy.compliance:
                if profile.locality and hops and is_covered(visit, profile):
                    yield Violation(self.id, str(visit), hops, 0, profile.locality.place)

    def explain(self, violation: Violation) -> Finding:
        """That the stage runs elsewhere."""
        message = f"{violation.subject}: the stage is a hop away from its origin, and must run there"
        return violation.finding(self.finding_id, message, "add a pool at the origin, or cover fewer stages")


def _leaves(problem: Problem, clause: LocalityClause, origin: str, site: str) -> str:
    """Why the data would leave its origin; empty when it would not."""
    del problem, clause
    return "" if site == origin else f"{site} is not {origin}, where the data has to stay"
