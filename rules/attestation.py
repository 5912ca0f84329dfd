"""Attestation: protected data is handled only on nodes that a verifier has affirmed, and affirms again in time."""

from collections.abc import Iterable, Iterator

from policy.clauses import AttestationClause
from policy.findings import Finding
from policy.resolved import Pool
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import visits
from rules.kernel.plan import Plan
from rules.kernel.pools import excluded_pools
from rules.kernel.problem import Problem
from rules.kernel.quantities import instant
from rules.kernel.rule import Violation
from rules.kernel.spans import Span, cover, unbroken_until_s


class Attestation:
    """Each pool that runs a covered stage is attested as the clause asks from `now_s` until `needed_until_s`.

    The result may be of the pool or of its site. It holds from its first second, and no longer at its last or once it
    is as old as the clause allows; a newer one that takes over without a gap carries on.
    """

    id = "attestation"
    finding_id = "GW1018"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile asks for attestation."""
        return any(profile.attestation for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the pools that are not attested so from every stage that the clause protects."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options in those pools, for each use of them."""
        needed = range(problem.now_s, problem.needed_until_s)
        for profile in problem.policy.compliance:
            clause = profile.attestation
            if clause is None:
                continue
            lacking = {
                pool.name: f"{pool.name} has no {clause} until {instant(problem.needed_until_s)}"
                for pool in problem.policy.pools
                if not cover(_spans(problem, clause, pool), needed)
            }
            yield from excluded_pools(self.id, problem, profile, clause.place, lacking)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Follow the results of every pool in use to the second at which they end."""
        used = visits(plan, problem)
        for profile in problem.policy.compliance:
            clause = profile.attestation
            if clause is None:
                continue
            end_s: dict[str, int] = {}
            for visit in used:
                if visit.stage in profile.covered(problem.service_of(visit.demand)):
                    pool = problem.pool_of(visit.option)
                    if pool.name not in end_s:
                        end_s[pool.name] = unbroken_until_s(_spans(problem, clause, pool), problem.now_s)
                    held_s, needed_s = end_s[pool.name], problem.needed_until_s
                    if held_s < needed_s:
                        yield Violation(self.id, str(visit), held_s, needed_s, clause.place, str(clause))

    def explain(self, violation: Violation) -> Finding:
        """What is not attested, and until when it would have to be."""
        held = f"holds until {instant(violation.measured)}" if violation.measured else "is missing"
        message = f"{violation.subject}: {violation.quantity} {held}; it is needed until {instant(violation.limit)}"
        return violation.finding(
            self.finding_id, message, "have the nodes attested again, or let the stage run on another pool"
        )


def _spans(problem: Problem, clause: AttestationClause, pool: Pool) -> tuple[Span, ...]:
    """When the pool is attested as the clause asks."""
    subjects = (("pool", pool.name), ("site", pool.site))
    return tuple(
        (
            result.from_s,
            min(result.until_s, result.appraised_s + clause.max_age_s) if clause.max_age_s else result.until_s,
        )
        for result in problem.attestations
        if (result.subject_kind, result.subject) in subjects
        and clause.met_by(result.verifier, result.tees, result.claims, result.devices)
    )
