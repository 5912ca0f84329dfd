"""Certification: protected data is handled only where the standards that it asks for are held, and stay held."""

from collections.abc import Iterable, Iterator

from policy.clauses import CertificationClause
from policy.findings import Finding
from policy.resolved import Pool
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.pools import excluded_pools, held_by
from rules.kernel.problem import Problem
from rules.kernel.quantities import instant
from rules.kernel.rule import Violation
from rules.kernel.spans import Span, cover, unbroken_until_s


class Certification:
    """Each pool that runs a covered stage holds a standard of each clause from `now_s` until `needed_until_s`.

    The pool or its site may hold it, in a version that the clause means. A certification holds from its first second
    and no longer at its last; one that takes over from another without a gap carries on, also one of another standard
    of the clause. One that ends exactly at `needed_until_s` is enough.
    """

    id = "certification"
    finding_id = "GW1007"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile asks for a certification."""
        return any(profile.certifications for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the pools that do not hold a standard from every stage that it protects."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options in those pools, for each use of them."""
        for profile in problem.policy.compliance:
            for clause in profile.certifications:
                span = f"does not hold {clause}, needed until {instant(problem.needed_until_s)}"
                lacking = {
                    pool.name: f"{pool.name} {span}"
                    for pool in problem.policy.pools
                    if not cover(_spans(problem, clause, pool), range(problem.now_s, problem.needed_until_s))
                }
                yield from excluded_pools(self.id, problem, profile, clause.place, lacking)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Follow the certifications of every pool in use to the second at which they end."""
        used, needed_s = visits(plan, problem), problem.needed_until_s
        pools = {pool.name: pool for pool in (problem.pool_of(visit.option) for visit in used)}
        for profile in problem.policy.compliance:
            covered = [visit for visit in used if is_covered(visit, profile)]
            for clause in profile.certifications if covered else ():
                end_s = {
                    name: unbroken_until_s(_spans(problem, clause, pool), problem.now_s) for name, pool in pools.items()
                }
                for visit in covered:
                    held_s = end_s[visit.option.placement.pool]
                    if held_s < needed_s:
                        yield Violation(self.id, str(visit), held_s, needed_s, clause.place, str(clause))

    def explain(self, violation: Violation) -> Finding:
        """Which standard is missing, and until when it would be needed."""
        held = f"held until {instant(violation.measured)}" if violation.measured else "not held"
        message = f"{violation.subject}: {violation.quantity} is {held}; it is needed until {instant(violation.limit)}"
        return violation.finding(self.finding_id, message, "renew the evidence, or let the stage run on another pool")


def _spans(problem: Problem, clause: CertificationClause, pool: Pool) -> tuple[Span, ...]:
    return tuple((held.from_s, held.until_s) for held in held_by(problem, pool, clause.met_by))
