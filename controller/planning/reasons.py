"""What each placement of a plan is for."""

from controller.decision import Reason
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem


def reasons(plan: Plan, problem: Problem) -> tuple[Reason, ...]:
    """Each placement of the plan with the stages of the demands that are routed to it."""
    serves: dict[Placement, set[str]] = {}
    for route in plan.routes:
        path = problem.path(route.path)
        demand = problem.demand(path.demand)
        for stage, option in zip(problem.service_of(demand).stages, path.options, strict=True):
            serves.setdefault(problem.option(option).placement, set()).add(f"{demand.id}/{stage.name}")
    return tuple(
        Reason(placement, count, tuple(sorted(serves.get(placement, ()))))
        for placement, count in sorted(plan.placements(problem).items())
    )
