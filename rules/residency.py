"""Residency: data stays within the jurisdictions that it is bound to, at rest and on every hop."""

from collections.abc import Iterable, Iterator

from policy.clauses import ResidencyClause
from policy.findings import Finding
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.hops import excluded
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation


class Residency:
    """The origin, each stage's site and all that a hop crosses lie in one of the jurisdictions of `within`.

    A site lies in several (FR and EU); one of them is enough. Of a link's transit every jurisdiction must be named. A
    hop of which no Link document tells counts as outside. Nothing may be outside: the limit is 0.
    """

    id = "residency"
    finding_id = "GW1008"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile binds data to jurisdictions."""
        return any(profile.residency for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude each option from the stages whose data would leave."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options at the sites to which a clause objects, for each use of them."""
        return excluded(self.id, problem, lambda profile: profile.residency, _leaves)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Count what lies outside of all that the data of each stage in use touches."""
        for visit in visits(plan, problem):
            touched = _touched(problem, visit.demand.origin, problem.site_of(visit.option))
            for profile in problem.policy.compliance:
                if profile.residency and is_covered(visit, profile):
                    allowed = set(profile.residency.within)
                    outside = [names for names in touched if allowed.isdisjoint(names)]
                    if outside:
                        yield Violation(self.id, str(visit), len(outside), 0, profile.residency.place)

    def explain(self, violation: Violation) -> Finding:
        """How much of the way lies outside."""
        message = (
            f"{violation.subject}: sites and crossings outside the allowed jurisdictions: {violation.measured}, "
            f"allowed: {violation.limit}"
        )
        hint = "keep the stage at a site inside, or write the Link document of the hop with its transit"
        return violation.finding(self.finding_id, message, hint)


def _leaves(problem: Problem, clause: ResidencyClause, origin: str, site: str) -> str:
    """Why the data would leave; empty when it would not."""
    named = ", ".join(clause.within)
    for name in (origin, site):
        if not any(jurisdiction in clause.within for jurisdiction in problem.site(name).jurisdictions):
            return f"{name} does not lie within {named}"
    if origin == site:
        return ""
    link = problem.link(origin, site)
    if link is None:
        return f"no Link document tells what lies between {origin} and {site}"
    strays = [jurisdiction for jurisdiction in link.transit if jurisdiction not in clause.within]
    return f"the link between {origin} and {site} crosses {', '.join(strays)}" if strays else ""


def _touched(problem: Problem, origin: str, site: str) -> list[tuple[str, ...]]:
    """All that data touches on its way, each with the jurisdictions that it lies in; none when that is unknown."""
    ends = [problem.site(name).jurisdictions for name in dict.fromkeys((origin, site))]
    if origin == site:
        return ends
    link = problem.link(origin, site)
    return ends + ([()] if link is None else [(jurisdiction,) for jurisdiction in link.transit])
