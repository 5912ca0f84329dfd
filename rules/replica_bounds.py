"""Replica bounds: a model runs with as many instances as its bounds say, over the fleet or at one site."""

from collections import Counter
from collections.abc import Iterable

from policy.findings import Finding
from policy.words import counted
from rules.kernel.formulation import Count, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation


class ReplicaBounds:
    """The instances of a model, all variants and settings together, number from `minimum` to `maximum`, both kept."""

    id = "replica_bounds"
    finding_id = "GW1014"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether the scaling policy bounds any model."""
        return bool(problem.policy.scaling.bounds)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A count row for each bound."""
        for bound in problem.policy.scaling.bounds:
            options = tuple(
                option.id
                for option in problem.options
                if option.placement.model == bound.model and (not bound.site or problem.site_of(option) == bound.site)
            )
            form.add(Count(self.id, bound.place, options, bound.minimum, bound.maximum))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Count the instances that each bound speaks of."""
        options = {option.id: option for option in problem.options}
        standing: Counter[tuple[str, str]] = Counter()
        for item in plan.instances:
            if option := options.get(item.option):
                for site in ("", problem.site_of(option)):
                    standing[option.placement.model, site] += item.count
        for bound in problem.policy.scaling.bounds:
            running = standing[bound.model, bound.site]
            nearest = min(max(running, bound.minimum), bound.maximum)
            if running != nearest:
                subject = f"{bound.model} at {bound.site or 'all sites'}"
                yield Violation(self.id, subject, running, nearest, bound.place)

    def explain(self, violation: Violation) -> Finding:
        """How many instances there are, and how many there should be."""
        message = (
            f"{violation.subject} would run in {counted(violation.measured, 'instance')}; "
            f"the nearest number allowed is {violation.limit}"
        )
        return violation.finding(
            self.finding_id, message, "change the bound's minimum or maximum, or the pools it counts"
        )
