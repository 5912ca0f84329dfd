"""Provenance: protected data is seen only by variants whose artefacts somebody who may has vouched for."""

from collections.abc import Iterable, Iterator

from policy.clauses import ComplianceProfile, ProvenanceClause
from policy.findings import Finding
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.quantities import instant
from rules.kernel.rule import Violation
from rules.kernel.spans import Span, cover, unbroken_until_s


class Provenance:
    """Each variant that serves a covered stage is vouched for as each clause asks from `now_s` until `needed_until_s`.

    What counts is said of the digest that the Model document gives the variant. It counts from its first second and no
    longer at its last; what takes over without a gap carries on. One that ends exactly at `needed_until_s` is enough.
    """

    id = "provenance"
    finding_id = "GW1019"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile asks something of models."""
        return any(profile.provenance for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the variants that nobody vouches for from every stage that the clause protects."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options with those variants, for each use of them."""
        needed = range(problem.now_s, problem.needed_until_s)
        for profile in problem.policy.compliance:
            for clause in profile.provenance:
                vouched = {digest for digest, spans in _spans(problem, clause).items() if cover(spans, needed)}
                yield from self._without(problem, profile, clause, vouched)

    def _without(
        self, problem: Problem, profile: ComplianceProfile, clause: ProvenanceClause, vouched: set[str]
    ) -> Iterator[Exclusion]:
        lacks = f"has no {clause}, needed until {instant(problem.needed_until_s)}"
        for demand in problem.demands:
            for stage in problem.covered(profile, problem.service_of(demand)):
                for option in problem.options_of(stage.model):
                    at = option.placement
                    if problem.digest_of(at) not in vouched:
                        reason = f"{at.model}/{at.variant} {lacks}"
                        yield Exclusion(self.id, reason, clause.place, option.id, demand.id, stage.name)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Follow what is said of every artefact in use to the second at which it ends."""
        used = visits(plan, problem)
        for profile in problem.policy.compliance:
            covered = [visit for visit in used if is_covered(visit, profile)]
            for clause in profile.provenance if covered else ():
                ends = {
                    digest: unbroken_until_s(spans, problem.now_s) for digest, spans in _spans(problem, clause).items()
                }
                for visit in covered:
                    end_s = ends.get(problem.digest_of(visit.option.placement), 0)
                    if end_s < problem.needed_until_s:
                        limit_s = problem.needed_until_s
                        yield Violation(self.id, str(visit), end_s, limit_s, clause.place, str(clause))

    def explain(self, violation: Violation) -> Finding:
        """What nobody vouches for, and until when somebody would have to."""
        held = f"holds until {instant(violation.measured)}" if violation.measured else "is missing"
        message = f"{violation.subject}: {violation.quantity} {held}; it is needed until {instant(violation.limit)}"
        hint = "have the variant's artefact signed, or let another variant serve"
        return violation.finding(self.finding_id, message, hint)


def _spans(problem: Problem, clause: ProvenanceClause) -> dict[str, list[Span]]:
    """By digest, when somebody vouches for it as the clause asks."""
    found: dict[str, list[Span]] = {}
    for each in problem.provenances:
        if each.digest and clause.met_by(each.signer, each.standard, each.version):
            found.setdefault(each.digest, []).append((each.from_s, each.until_s))
    return found
