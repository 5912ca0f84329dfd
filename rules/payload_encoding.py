"""Payload encoding: inputs cross links as those admit, and none costs a service more accuracy than its floor leaves."""

from collections.abc import Iterable, Iterator

from policy.findings import Finding
from policy.resolved import Encoding, Fidelity, Link
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import crossings
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.quantities import percent_of_ppm
from rules.kernel.rule import Violation
from rules.kernel.sending import Objection, encoded, unadmitted

ADMITTED, LEFT = "admitted", "left"
HINTS = {
    ADMITTED: "add it to `admits` of the Link, or send the input as it is",
    LEFT: "send the input as it is, or lower the accuracy floor",
}


class PayloadEncoding:
    """Each input that a path in use sends in an encoding crosses a Link that admits it.

    The accuracy of the variant that answers, less what the encoding loses, is the service's floor at least; exactly the
    floor is kept. No step of a degrade order makes an exception: it names variants, not what becomes of their inputs.
    """

    id = "payload_encoding"
    finding_id = "GW1070"
    always = True
    of_paths = True

    def applies(self, problem: Problem) -> bool:
        """Whether any stage declares encodings."""
        return any(stage.encodings for service in problem.policy.services for stage in service.stages)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the paths that send otherwise."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """Those paths, once for each objection."""
        for path in (path for path in problem.paths if path.encodings):
            for sent in encoded(problem, path):
                for each in (sent,) if isinstance(sent, Objection) else unadmitted(problem, sent):
                    yield Exclusion(self.id, each.reason, each.place, path=path.id)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Look each encoding in use up on the way that it takes, and subtract what it loses."""
        for crossing in crossings(plan, problem):
            declared = next((each for each in crossing.stage.encodings if each.format == crossing.encoding), None)
            way = problem.link(crossing.demand.origin, problem.site_of(crossing.option))
            if declared is None or way is None or not _lets_through(way, declared):
                place = way.place if way and declared else crossing.stage.place
                yield Violation(self.id, str(crossing), 1, 0, place, ADMITTED)
            objective = problem.service_of(crossing.demand).accuracy
            if objective and declared and declared.loses_ppm:
                left_ppm = crossing.option.accuracy_ppm - declared.loses_ppm
                if not left_ppm >= objective.floor_ppm:
                    yield Violation(self.id, str(crossing), left_ppm, objective.floor_ppm, objective.place, LEFT)

    def explain(self, violation: Violation) -> Finding:
        """What does not let it through, or how little accuracy is left."""
        left, floor = percent_of_ppm(violation.measured), percent_of_ppm(violation.limit)
        told = {
            ADMITTED: "the stage does not declare it, or no Link on the way admits it",
            LEFT: f"accuracy is {left} then; the floor is {floor}",
        }
        message = f"{violation.subject}: {told[violation.quantity]}"
        return violation.finding(self.finding_id, message, HINTS[violation.quantity])


def _lets_through(way: Link, encoding: Encoding) -> bool:
    """Whether the name stands in the list that is for encodings of its kind."""
    lists = {Fidelity.LOSSLESS: way.compressions, Fidelity.LOWERED: way.precisions}
    return encoding.format in lists.get(encoding.fidelity, ())
