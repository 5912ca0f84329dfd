"""Pinned models: protected data is seen only by variants whose artefacts the clause names, digest by digest."""

from collections.abc import Iterable, Iterator

from policy.findings import Finding
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import is_covered, visits
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation


class Pinned:
    """Each variant that serves a covered stage has, by its Model document, one of the digests that the clause names.

    Measured is how many variants of a visit have another, one by one: 1 where it is so, and the limit is 0.
    """

    id = "pinned"
    finding_id = "GW1068"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile names digests."""
        return any(profile.pinned for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the variants with another digest from every stage that the clause protects."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options with those variants, for each use of them."""
        for profile in problem.policy.compliance:
            clause = profile.pinned
            for demand in problem.demands if clause else ():
                for stage in problem.covered(profile, problem.service_of(demand)):
                    for option in problem.options_of(stage.model):
                        at = option.placement
                        if clause and problem.digest_of(at) not in clause.digests:
                            reason = f"{at.model}/{at.variant} is not {clause}"
                            yield Exclusion(self.id, reason, clause.place, option.id, demand.id, stage.name)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Look at the digest of the variant of every visit."""
        for visit in visits(plan, problem):
            digest = problem.digest_of(visit.option.placement)
            for profile in problem.policy.compliance:
                clause = profile.pinned
                is_other = clause is not None and all(each != digest for each in clause.digests)
                if clause and is_other and is_covered(visit, profile):
                    yield Violation(self.id, str(visit), 1, 0, clause.place, digest)

    def explain(self, violation: Violation) -> Finding:
        """The digest that is not among those that are named."""
        message = f"{violation.subject}: the digest {violation.quantity} is not among those that are named"
        return violation.finding(self.finding_id, message, "name it, once it is reviewed, or let another variant serve")
