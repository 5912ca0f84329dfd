"""Payload fidelity: what protected stages are sent is changed on its way no further than a profile allows."""

from collections.abc import Iterable, Iterator

from policy.findings import Finding
from policy.resolved import Fidelity
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import covers, crossings
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from rules.kernel.sending import Sent, encoded, unfaithful


class PayloadFidelity:
    """Each input of a covered stage is sent at least as true as the clause asks.

    Fidelities are ordered lowered (0), lossless (1), verbatim (2); equal is kept.
    """

    id = "payload_fidelity"
    finding_id = "GW1071"
    always = True
    of_paths = True

    def applies(self, problem: Problem) -> bool:
        """Whether any compliance profile speaks of payloads."""
        return any(profile.payloads for profile in problem.policy.compliance)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the paths that send less."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """Those paths, once for each clause and stage."""
        for path in (path for path in problem.paths if path.encodings):
            for sent in encoded(problem, path):
                for each in unfaithful(problem, sent) if isinstance(sent, Sent) else ():
                    yield Exclusion(self.id, each.reason, each.place, path=path.id)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Compare what becomes of each input in use with every clause that covers its stage."""
        for crossing in crossings(plan, problem):
            service = problem.service_of(crossing.demand)
            kept = [each.fidelity for each in crossing.stage.encodings if each.format == crossing.encoding]
            for profile in problem.policy.compliance:
                clause = profile.payloads
                if clause is None or not covers(profile, crossing.stage, service, problem):
                    continue
                for fidelity in kept:
                    if not fidelity.strength >= clause.fidelity.strength:
                        asked = clause.fidelity.strength
                        yield Violation(self.id, str(crossing), fidelity.strength, asked, clause.place)

    def explain(self, violation: Violation) -> Finding:
        """What arrives, and what should."""
        by_strength = dict(enumerate(Fidelity))
        known, asked = by_strength[violation.measured], by_strength[violation.limit]
        message = f"{violation.subject}: the payload is {known}; {asked} or better is asked"
        return violation.finding(self.finding_id, message, "send the input as it is, or ask for less of its fidelity")
