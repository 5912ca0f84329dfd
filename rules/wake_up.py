"""Wake-up: a service that scales to zero takes no path whose instances load for too long."""

from collections.abc import Iterable, Iterator

from policy.findings import Finding
from policy.resolved import Service
from policy.waking import NOTICE_US, SECOND_US, TURN_US, WAVES, loads_for_us, seconds, time_to_load_us
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import carried
from rules.kernel.plan import Plan
from rules.kernel.problem import Path, Problem
from rules.kernel.rule import Violation


class WakeUp:
    """What a path needs is loaded within what `wakeUp` leaves for loading; exactly as long is kept.

    Each option that it takes loads one instance, and those that its service has to spare. A pool's nodes load side by
    side, and which of them take what is not known beforehand: it counts as one node, which loads one after the other.
    """

    id = "wake_up"
    finding_id = "GW1075"
    always = False
    of_paths = True

    def applies(self, problem: Problem) -> bool:
        """Whether any service scales to zero."""
        return any(service.scale_to_zero for service in problem.policy.services)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the paths that load for too long."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """Those paths."""
        for path in problem.paths:
            service = problem.service_of(problem.demand(path.demand))
            clause = service.scale_to_zero
            if clause is None:
                continue
            left_us, loads_us = time_to_load_us(clause, problem.policy.scaling), _longest_us(problem, service, path)
            if loads_us > left_us:
                yield Exclusion(self.id, _told(loads_us, left_us), clause.place, path=path.id)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Add up what every path in use loads, pool by pool."""
        for path, _ in carried(plan, problem):
            service = problem.service_of(problem.demand(path.demand))
            if service.scale_to_zero:
                passes_us = SECOND_US * problem.policy.scaling.interval_s + TURN_US + WAVES * NOTICE_US
                limit_us = service.scale_to_zero.wake_up_us - passes_us
                spared = service.availability.spares if service.availability else 0
                taken = [problem.option(name) for name in sorted(set(path.options))]
                measured_us = max(
                    sum((1 + spared) * option.load_us for option in taken if option.placement.pool == pool)
                    for pool in {option.placement.pool for option in taken}
                )
                if not measured_us <= limit_us:
                    yield Violation(self.id, path.id, measured_us, limit_us, service.scale_to_zero.place)

    def explain(self, violation: Violation) -> Finding:
        """How long the path loads, and how long it may."""
        message = f"path {violation.subject}: {_told(violation.measured, violation.limit)}"
        return violation.finding(self.finding_id, message, "allow a pool that loads faster, or a longer `wakeUp`")


def _longest_us(problem: Problem, service: Service, path: Path) -> int:
    """The longest that any pool of a path loads, from nothing."""
    options = map(problem.option, dict.fromkeys(path.options))
    return loads_for_us(service, ((option.placement.pool, option.load_us) for option in options))


def _told(loads_us: int, left_us: int) -> str:
    return f"it loads for {seconds(loads_us)}; `wakeUp` leaves {seconds(max(0, left_us))} for that"
