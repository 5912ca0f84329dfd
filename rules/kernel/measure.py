"""What a plan does, read off the plan alone: where checks begin. Ids that the problem lacks are left to `served`."""

from collections import Counter
from dataclasses import dataclass

from policy.resolved import Stage
from rules.kernel.plan import Plan
from rules.kernel.problem import Demand, Option, Path, Problem


@dataclass(frozen=True, slots=True)
class Visit:
    """A stage of a demand that some of its requests are served by an option."""

    demand: Demand
    stage: Stage
    option: Option

    def __str__(self) -> str:
        return f"stage {self.stage.name} of {self.demand.id} on {self.option.id}"


def carried(plan: Plan, problem: Problem) -> tuple[tuple[Path, int], ...]:
    """The paths that carry something, each with its share in permille."""
    shares: Counter[str] = Counter()
    for route in plan.routes:
        shares[route.path] += route.share_permille
    return tuple((problem.path(path), share) for path, share in shares.items() if share and problem.has_path(path))


def visits(plan: Plan, problem: Problem) -> tuple[Visit, ...]:
    """Every stage of a demand with every option that its routes take there, each once."""
    found: dict[tuple[str, str, str], Visit] = {}
    for path, _ in carried(plan, problem):
        demand = problem.demand(path.demand)
        for stage, chosen in zip(problem.service_of(demand).stages, path.options, strict=True):
            key = (demand.id, stage.name, chosen)
            if key not in found:
                found[key] = Visit(demand, stage, problem.option(chosen))
    return tuple(found.values())
