"""Latency: no request takes a path whose predicted percentile misses an objective."""

from collections.abc import Iterable, Iterator

from policy.findings import Finding
from policy.resolved import LatencyObjective
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import carried
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.quantities import milliseconds, percentile
from rules.kernel.rule import Violation


class Latency:
    """Every path in use has a predicted latency of at most `below_us` at each objective's percentile.

    An objective that names an origin is meant for the paths of that origin's demand alone; one that names a stage, for
    what that stage takes, the way there and back included; one of the first response, for the time until that comes. A
    prediction of exactly `below_us` is kept. Predictions are at the utilisation that `capacity` allows, network
    included.
    """

    id = "latency"
    finding_id = "GW1001"
    always = False
    of_paths = True

    def applies(self, problem: Problem) -> bool:
        """Whether any service has a latency objective."""
        return any(service.latency for service in problem.policy.services)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the paths that are too slow, once for each objective that they miss."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """Those paths."""
        objectives = {demand.id: problem.service_of(demand).latency_from(demand.origin) for demand in problem.demands}
        for path in problem.paths:
            for objective in objectives[path.demand]:
                predicted_us = path.promised_us(objective)
                if predicted_us > objective.below_us:
                    reason = (
                        f"{_asked(objective)} is predicted at {milliseconds(predicted_us)}; "
                        f"the objective is {milliseconds(objective.below_us)}"
                    )
                    yield Exclusion(self.id, reason, objective.place, path=path.id)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Compare the prediction of every path in use with every objective of its service."""
        for path, _ in carried(plan, problem):
            demand = problem.demand(path.demand)
            for objective in problem.service_of(demand).latency_from(demand.origin):
                measured_us = path.promised_us(objective)
                if not measured_us <= objective.below_us:
                    asked = _asked(objective)
                    yield Violation(self.id, path.id, measured_us, objective.below_us, objective.place, asked)

    def explain(self, violation: Violation) -> Finding:
        """Which percentile of which path is too high, and by what."""
        message = (
            f"{violation.quantity} of path {violation.subject} is predicted at {milliseconds(violation.measured)}; "
            f"the objective is {milliseconds(violation.limit)}"
        )
        hint = "allow a faster or nearer pool, or raise the objective's `below`"
        return violation.finding(self.finding_id, message, hint)


def _asked(objective: LatencyObjective) -> str:
    first = " of the first response" if objective.of_first else ""
    return percentile(objective.percentile_bp) + first + (f" of stage {objective.stage}" if objective.stage else "")
