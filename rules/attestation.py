"""Attestation: protected data is handled only on nodes that a verifier has affirmed, and affirms again in time."""

from collections.abc import Iterable, Iterator
from functools import partial

from policy.clauses import AttestationClause
from policy.findings import Finding
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.pools import Found, by_node, excluded_without
from rules.kernel.problem import Problem
from rules.kernel.quantities import instant
from rules.kernel.rule import Violation
from rules.kernel.spans import unbroken_until_s


class Attestation:
    """Each pool that runs a covered stage is attested as the clause asks from `now_s` until `needed_until_s`.

    Results may be of the pool, of its site, or of each of its nodes. A result holds from its first second, and no
    longer at its last or once it is as old as the clause allows; a newer one that takes over without a gap carries on.
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
        for profile in problem.policy.compliance:
            if profile.attestation:
                said_of = partial(by_node, _spans(problem, profile.attestation))
                yield from excluded_without(self.id, problem, profile, profile.attestation, said_of)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Follow the results of every node of the pools in use to the second at which the first of them ends."""
        used = visits(plan, problem)
        for profile in problem.policy.compliance:
            clause = profile.attestation
            if clause is None:
                continue
            found, end_s = _spans(problem, clause), dict[str, int]()
            for visit in used:
                if is_covered(visit, profile):
                    pool = problem.pool_of(visit.option)
                    if pool.name not in end_s:
                        each_s = (unbroken_until_s(spans, problem.now_s) for spans in by_node(found, pool))
                        end_s[pool.name] = min(each_s)
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


def _spans(problem: Problem, clause: AttestationClause) -> Found:
    found: Found = {}
    for each in problem.attestations:
        if clause.met_by(each):
            aged_s = each.since_s(clause) + clause.max_age_s if clause.max_age_s else each.until_s
            found.setdefault((each.subject_kind, each.subject), []).append((each.from_s, min(each.until_s, aged_s)))
    return found
