"""Link evidence: protected data crosses only links whose encryption somebody who may has vouched for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from policy.clauses import LinkEvidenceClause
from policy.findings import Finding
from policy.resolved import Link
from rules.kernel.evidence import Held
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.hops import excluded
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.quantities import instant
from rules.kernel.rule import Violation
from rules.kernel.spans import Span, cover, unbroken_until_s


class LinkEvidence:
    """Of each hop from the origin to another site there is evidence as asked from `now_s` until `needed_until_s`.

    It is about the Link document by its name, and in one of the ways that the clause names: better encryption will do.
    It counts from its first second and no longer at its last. A stage at the origin's own site makes no hop; a hop of
    which no Link document tells has no evidence.
    """

    id = "link_evidence"
    finding_id = "GW1020"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile asks for evidence of links."""
        return any(profile.link_evidence for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude each option from the stages whose hop nobody vouches for."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options at the sites to which a clause objects, for each use of them."""
        held = _by_link(problem)
        needed = range(problem.now_s, problem.needed_until_s)
        until = instant(problem.needed_until_s)

        def lack(problem: Problem, clause: LinkEvidenceClause, origin: str, site: str) -> str:
            if site == origin or cover(_spans(held, clause, problem.link(origin, site)), needed):
                return ""
            return f"the link between {origin} and {site} has no {clause}, needed until {until}"

        return excluded(self.id, problem, lambda profile: profile.link_evidence, lack)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Follow the evidence of every hop in use to the second at which it ends."""
        held = _by_link(problem)
        for visit in visits(plan, problem):
            origin, site = visit.demand.origin, problem.site_of(visit.option)
            for profile in problem.policy.compliance if site != origin else ():
                clause = profile.link_evidence
                if clause and is_covered(visit, profile):
                    end_s = unbroken_until_s(_spans(held, clause, problem.link(origin, site)), problem.now_s)
                    if end_s < problem.needed_until_s:
                        limit_s = problem.needed_until_s
                        yield Violation(self.id, str(visit), end_s, limit_s, clause.place, str(clause))

    def explain(self, violation: Violation) -> Finding:
        """What nobody vouches for, and until when somebody would have to."""
        held = f"holds until {instant(violation.measured)}" if violation.measured else "is missing"
        message = (
            f"{violation.subject}: {violation.quantity} for the hop {held}; it is needed until "
            f"{instant(violation.limit)}"
        )
        return violation.finding(
            self.finding_id, message, "have the link vouched for, or serve the stage at its origin"
        )


def _by_link(problem: Problem) -> dict[str, list[Held]]:
    found: dict[str, list[Held]] = {}
    for each in problem.certifications:
        if each.subject_kind == "link":
            found.setdefault(each.subject, []).append(each)
    return found


def _spans(held: Mapping[str, Sequence[Held]], clause: LinkEvidenceClause, link: Link | None) -> list[Span]:
    """When a link has evidence as the clause asks."""
    found = held.get(link.name, ()) if link else ()
    return [(each.from_s, each.until_s) for each in found if each.standard in clause.standards]
