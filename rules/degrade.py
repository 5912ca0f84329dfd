"""Degrade: a service gives up what its degrade order names, in that order, and nothing else."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate

from policy.findings import Finding
from policy.resolved import Service, Shed, UseVariant
from rules.kernel.formulation import Formulation, Ladder
from rules.kernel.measure import carried
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE, Path, Problem
from rules.kernel.quantities import percent
from rules.kernel.rule import Violation

LEVEL, STEP, UNSERVED = "level", "step", "unserved"
HINTS = {
    LEVEL: "make the plan anew from the current problem",
    STEP: "take the step first, or move it forward in the degrade order",
    UNSERVED: "add capacity, or add a `shed` step to the degrade order",
}


class Degrade:
    """A service at level k has taken the first k steps of its order; one level more means best effort.

    A variant that the k-th step names serves from level k on. The most that may go unserved of each demand is the sum
    of the `Shed` steps taken, in permille, and everything at best effort; exactly the most is kept.
    """

    id = "degrade"
    finding_id = "GW1011"
    always = True

    def applies(self, problem: Problem) -> bool:
        """Whether there is any service: even one without an order may end at best effort."""
        return bool(problem.policy.services)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A ladder for each service."""
        demands_of: defaultdict[str, list[str]] = defaultdict(list)
        paths_of: defaultdict[str, list[Path]] = defaultdict(list)
        for demand in problem.demands:
            demands_of[demand.service].append(demand.id)
        for path in problem.paths:
            paths_of[problem.demand(path.demand).service].append(path)
        for service in problem.policy.services:
            demands = tuple(demands_of[service.name])
            gates = tuple(_gates(problem, service, paths_of[service.name]))
            sheds = (step.share_permille if isinstance(step, Shed) else 0 for step in service.degrade)
            most = [min(total, WHOLE_PERMILLE) for total in accumulate(sheds, initial=0)]
            form.add(Ladder(self.id, service.place, service.name, demands, gates, (*most, WHOLE_PERMILLE)))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Compare what each service gives up with the steps that it has taken."""
        used: defaultdict[str, list[Path]] = defaultdict(list)
        for path, _ in carried(plan, problem):
            used[problem.demand(path.demand).service].append(path)
        demands: defaultdict[str, list[str]] = defaultdict(list)
        for demand in problem.demands:
            demands[demand.service].append(demand.id)
        refused: Counter[str] = Counter()
        for item in plan.unserved:
            refused[item.demand] += item.share_permille
        for service in problem.policy.services:
            level, best_effort = plan.level(service.name), len(service.degrade) + 1
            nearest = min(max(level, 0), best_effort)
            if level != nearest:
                yield Violation(self.id, service.name, level, nearest, service.place, LEVEL)
                continue
            shed = sum(step.share_permille for step in service.degrade[:level] if isinstance(step, Shed))
            most = WHOLE_PERMILLE if level == best_effort else min(shed, WHOLE_PERMILLE)
            for demand_id in demands[service.name]:
                if refused[demand_id] > most:
                    yield Violation(self.id, demand_id, refused[demand_id], most, service.place, UNSERVED)
            yield from self._early(used[service.name], problem, service, level)

    def _early(self, paths: Iterable[Path], problem: Problem, service: Service, level: int) -> Iterator[Violation]:
        """Paths in use through a variant whose step has not been taken."""
        for path in paths:
            used = _variants(problem, path)
            allowed = {(step.model, step.variant) for step in service.degrade[:level] if isinstance(step, UseVariant)}
            for needed, step in enumerate(service.degrade[level:], start=level + 1):
                if isinstance(step, UseVariant) and (step.model, step.variant) in used - allowed:
                    allowed.add((step.model, step.variant))
                    yield Violation(self.id, path.id, needed, level, step.place, STEP)

    def explain(self, violation: Violation) -> Finding:
        """What is given up that the steps taken do not allow."""
        subject, measured, limit = violation.subject, violation.measured, violation.limit
        messages = {
            LEVEL: f"{subject} is at degrade level {measured}; the nearest that it has is {limit}",
            STEP: f"{subject} is in use from degrade level {measured} on; its service is at level {limit}",
            UNSERVED: f"{percent(measured)} of {subject} would go unserved; the steps taken allow {percent(limit)}",
        }
        return violation.finding(self.finding_id, messages[violation.quantity], HINTS[violation.quantity])


def _gates(problem: Problem, service: Service, paths: Iterable[Path]) -> Iterator[tuple[str, int]]:
    steps: dict[tuple[str, str], int] = {}
    for level, step in enumerate(service.degrade, start=1):
        if isinstance(step, UseVariant):
            steps.setdefault((step.model, step.variant), level)
    gates = {
        option.id: level
        for (model, variant), level in steps.items()
        for option in problem.options_of(model)
        if option.placement.variant == variant
    }
    for path in paths if gates else ():
        needed = [gates[option] for option in path.options if option in gates]
        if needed:
            yield path.id, max(needed)


def _variants(problem: Problem, path: Path) -> frozenset[tuple[str, str]]:
    """The (model, variant) pairs that a path goes through."""
    placements = (problem.option(option_id).placement for option_id in path.options)
    return frozenset((placement.model, placement.variant) for placement in placements)
