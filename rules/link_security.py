"""Link security: protected data crosses only links that encrypt it well enough."""

from collections.abc import Iterable, Iterator

from policy.clauses import LinkSecurityClause
from policy.findings import Finding
from policy.resolved import Encryption
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.hops import excluded
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation

UNKNOWN_LINK = -1
"""The strength of a hop of which no Link document tells: below every encryption, `none` included."""


class LinkSecurity:
    """Each hop from the origin to another site is encrypted at least as strongly as the clause asks.

    Strengths are ordered none (0), tls (1), mtls (2); equal is kept. A stage at the origin's own site makes no hop.
    """

    id = "link_security"
    finding_id = "GW1009"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile asks for encrypted links."""
        return any(profile.link_security for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude each option from the stages whose hop is too weak."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options at the sites to which a clause objects, for each use of them."""
        return excluded(self.id, problem, lambda profile: profile.link_security, _weakness)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Compare the strength of every hop in use with every clause that covers it."""
        for visit in visits(plan, problem):
            site = problem.site_of(visit.option)
            if site == visit.demand.origin:
                continue
            link = problem.link(visit.demand.origin, site)
            strength = link.encryption.strength if link else UNKNOWN_LINK
            for profile in problem.policy.compliance:
                clause = profile.link_security
                if clause and not strength >= clause.encryption.strength and is_covered(visit, profile):
                    yield Violation(self.id, str(visit), strength, clause.encryption.strength, clause.place)

    def explain(self, violation: Violation) -> Finding:
        """How the hop is protected, and how it should be."""
        by_strength = dict(enumerate(Encryption))
        known, asked = by_strength.get(violation.measured, "not known"), by_strength[violation.limit]
        message = f"{violation.subject}: the encryption of the hop is {known}; {asked} or better is asked"
        hint = "encrypt the link and say so in its Link document, or serve the stage at its origin"
        return violation.finding(self.finding_id, message, hint)


def _weakness(problem: Problem, clause: LinkSecurityClause, origin: str, site: str) -> str:
    """Why the hop is too weak; empty when it is not, or there is none."""
    link = problem.link(origin, site)
    if site == origin or (link is not None and not link.encryption.strength < clause.encryption.strength):
        return ""
    known = link.encryption if link else "not known: there is no Link document"
    return f"encryption between {origin} and {site} is {known}; {clause.encryption} is asked"
