"""Accuracy: no stage is answered by a variant below the service's floor, unless its degrade order names it."""

from collections.abc import Iterable, Iterator

from policy.findings import Finding
from policy.resolved import UseVariant
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import visits
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.quantities import percent_of_ppm
from rules.kernel.rule import Violation


class Accuracy:
    """Every variant that serves a service has at least the accuracy `floor_ppm`; exactly the floor is kept.

    A variant that a degrade step of the service names is exempt here; `degrade` says from which level it may serve.
    """

    id = "accuracy"
    finding_id = "GW1010"
    always = True
    of_paths = False

    def applies(self, problem: Problem) -> bool:
        """Whether any service has an accuracy floor."""
        return any(service.accuracy for service in problem.policy.services)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the variants below the floor from the service's stages."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """The options with those variants, for each use of them."""
        for demand in problem.demands:
            service = problem.service_of(demand)
            objective = service.accuracy
            exempt = {(step.model, step.variant) for step in service.degrade if isinstance(step, UseVariant)}
            for stage in service.stages if objective else ():
                for option in problem.options_of(stage.model):
                    placement = option.placement
                    if objective is None or (placement.model, placement.variant) in exempt:
                        continue
                    if option.accuracy_ppm < objective.floor_ppm:
                        reason = (
                            f"accuracy {percent_of_ppm(option.accuracy_ppm)} is below the floor of "
                            f"{percent_of_ppm(objective.floor_ppm)}"
                        )
                        yield Exclusion(self.id, reason, objective.place, option.id, demand.id, stage.name)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Compare every variant in use with the floor of the service that it serves."""
        for visit in visits(plan, problem):
            service = problem.service_of(visit.demand)
            objective, placement = service.accuracy, visit.option.placement
            named = any(
                isinstance(step, UseVariant) and (step.model, step.variant) == (placement.model, placement.variant)
                for step in service.degrade
            )
            if objective and not named and not visit.option.accuracy_ppm >= objective.floor_ppm:
                measured = visit.option.accuracy_ppm
                yield Violation(self.id, str(visit), measured, objective.floor_ppm, objective.place)

    def explain(self, violation: Violation) -> Finding:
        """How accurate the variant is, and how accurate it should be."""
        message = (
            f"{violation.subject}: accuracy is {percent_of_ppm(violation.measured)}; "
            f"the floor is {percent_of_ppm(violation.limit)}"
        )
        hint = "use a more accurate variant, or name this one in a `use` step of the degrade order"
        return violation.finding(self.finding_id, message, hint)
