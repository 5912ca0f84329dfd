"""Churn: the fleet shrinks no faster than the scaling policy allows, and starts nothing without need."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from policy.findings import Finding
from rules.kernel.formulation import Count, Formulation, Penalty
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem
from rules.kernel.rule import Violation


class Churn:
    """No placement falls below its floor in this step; exactly the floor is kept.

    Softly, each instance beyond those that run has a price: what starting one is worth avoiding.
    """

    id = "churn"
    finding_id = "GW1015"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether a placement has a floor, or a start a price."""
        return bool(problem.floors or problem.policy.cost.start_millicents)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A count row for each floor, and the price of starts."""
        options: defaultdict[Placement, list[str]] = defaultdict(list)
        for option in problem.options:
            options[option.placement].append(option.id)
        place = problem.policy.scaling.place
        for floor in problem.floors:
            form.add(Count(self.id, place, tuple(options[floor.placement]), floor.minimum, None))
        running: Counter[Placement] = Counter()
        for item in problem.running:
            running[item.placement] += item.count
        price = problem.policy.cost.start_millicents
        starts = tuple((tuple(ids), running[placement], price) for placement, ids in options.items() if ids)
        if price and starts:
            form.add(Penalty(self.id, starts=starts))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Count the instances of each placement that has a floor."""
        placement_of = {option.id: option.placement for option in problem.options}
        running: Counter[Placement] = Counter()
        for item in plan.instances:
            if item.option in placement_of:
                running[placement_of[item.option]] += item.count
        for floor in problem.floors:
            left = running[floor.placement]
            if left < floor.minimum:
                place = problem.policy.scaling.place
                yield Violation(self.id, str(floor.placement), left, floor.minimum, place, floor.reason)

    def explain(self, violation: Violation) -> Finding:
        """How far the placement would fall, and why it may not yet."""
        message = (
            f"{violation.subject} would keep {violation.measured} of the {violation.limit} instances "
            f"that must stay for now: {violation.quantity}"
        )
        hint = "wait for the next step, or raise the scaling policy's step share or lower its cooldown"
        return violation.finding(self.finding_id, message, hint)
