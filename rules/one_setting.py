"""One setting: a server loads a variant with one batching configuration, whatever the number of instances."""

from collections import defaultdict
from collections.abc import Iterable

from policy.findings import Finding
from rules.kernel.formulation import Exclusive, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem
from rules.kernel.rule import Violation

ONE_SETTING = 1
"""Triton keeps a single configuration for each model name that it has loaded."""


class OneSetting:
    """Of the options of a placement, which differ in their setting only, at most one has instances."""

    id = "one_setting"
    finding_id = "GW1005"
    always = True

    def applies(self, problem: Problem) -> bool:
        """Whether there is anything to place."""
        return bool(problem.options)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """An exclusive row for each placement with a choice."""
        settings: defaultdict[Placement, list[str]] = defaultdict(list)
        for option in problem.options:
            settings[option.placement].append(option.id)
        for placement, (first, *others) in settings.items():
            if others:
                place = problem.policy.pool(placement.pool).place
                form.add(Exclusive(self.id, place, (first, *others)))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Count the settings in use of each placement."""
        used = plan.used_options()
        in_use: defaultdict[Placement, set[str]] = defaultdict(set)
        for option in problem.options:
            if option.id in used:
                in_use[option.placement].add(option.id)
        for placement, (_, *more) in in_use.items():
            if more:
                place = problem.policy.pool(placement.pool).place
                yield Violation(self.id, str(placement), ONE_SETTING + len(more), ONE_SETTING, place)

    def explain(self, violation: Violation) -> Finding:
        """How many settings the placement would need at once."""
        message = f"{violation.subject} would run with {violation.measured} settings; a server keeps {violation.limit}"
        return violation.finding(self.finding_id, message, "keep one batching setting for each variant of a pool")
