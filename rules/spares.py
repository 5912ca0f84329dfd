"""Spares: warm instances above what the load needs, ready for what was not foreseen."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from policy.findings import Finding
from policy.resolved import AvailabilityObjective, Stage
from policy.words import counted
from rules.kernel.brought import brought
from rules.kernel.formulation import Flow, Formulation
from rules.kernel.measure import carried
from rules.kernel.plan import Plan
from rules.kernel.problem import Demand, Problem
from rules.kernel.rule import Violation

INSTANCE: Final = 1_000_000
"""Load is counted in millionths of an instance; a permille of a demand takes a whole number of them, rounded up."""


class Spares:
    """Of the options that a demand may take at a stage, so many instances stand above those that their load takes.

    Exactly so many do. The load is what all routes bring these options, of other services too, each call as the part of
    an instance that it takes there: rate * fanout / `capacity_milli_rps`. So two instances that are half busy are one
    spare. As availability, it is not promised while the service is at best effort: a spare is there to be used.
    """

    id = "spares"
    finding_id = "GW1060"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether any service with requests and a path asks for spare instances."""
        return any(True for _ in _asked(problem))

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A flow for each demand and stage: load less instances is at most nothing less the spares."""
        stages = brought(problem)
        for demand, _, objective, usable in _asked(problem):
            load: dict[str, int] = {}
            for option in usable:
                answers = max(1, problem.option(option).capacity_milli_rps)
                for path, calls in stages.get(option, ()):
                    load[path] = load.get(path, 0) - (-calls * 1000 // answers)
            standing = tuple((option, -INSTANCE) for option in usable)
            highest = -objective.spares * INSTANCE
            loads = tuple(load.items())
            form.add(Flow(self.id, objective.place, loads, standing, highest=highest, services=(demand.service,)))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Count the instances of each stage, and take off what is busy of them."""
        idle: Counter[str] = Counter()
        for item in plan.instances:
            idle[item.option] += item.count * INSTANCE
        for path, share in carried(plan, problem):
            demand = problem.demand(path.demand)
            for stage, option in zip(problem.service_of(demand).stages, path.options, strict=True):
                answers = max(1, problem.option(option).capacity_milli_rps)
                calls = demand.rate_milli_rps * stage.fanout * 1000
                idle[option] -= share * ((calls + answers - 1) // answers)
        for demand, stage, objective, usable in _asked(problem):
            left = sum(idle[option] for option in usable)
            is_promised = plan.level(demand.service) <= len(problem.service_of(demand).degrade)
            if is_promised and left < objective.spares * INSTANCE:
                subject = f"stage {stage.name} of {demand.id}"
                yield Violation(self.id, subject, max(0, left // INSTANCE), objective.spares, objective.place)

    def explain(self, violation: Violation) -> Finding:
        """How many instances are over, and how many should be."""
        message = (
            f"{violation.subject} has {violation.measured} of {counted(violation.limit, 'spare instance')} "
            "that the objective asks for"
        )
        hint = "allow the stage's model in more pools, raise the ceiling, or ask for fewer spares"
        return violation.finding(self.finding_id, message, hint)


def _asked(problem: Problem) -> Iterator[tuple[Demand, Stage, AvailabilityObjective, tuple[str, ...]]]:
    """Every stage of a demand that an objective asks spares of, with the options that some path of it takes there."""
    taken: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for path in problem.paths:
        taken[path.demand].append(path.options)
    for demand in problem.demands:
        service = problem.service_of(demand)
        if service.availability and service.availability.spares and demand.rate_milli_rps and demand.id in taken:
            for stage, options in zip(service.stages, zip(*taken[demand.id], strict=True), strict=True):
                yield demand, stage, service.availability, tuple(dict.fromkeys(options))
