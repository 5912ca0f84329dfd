"""Guards: how far one step may take the fleet down. Growing is never held back."""

from datetime import datetime, timedelta

from controller.decision import Started
from controller.planning.excluded import exclusions_of
from policy.resolved import WHOLE_PERMILLE, Policy
from rules.catalogue import STANDING
from rules.kernel.formulation import Resource
from rules.kernel.problem import Floor, Placement, Problem


def floors(problem: Problem, started: tuple[Started, ...], held: frozenset[str], now: datetime) -> tuple[Floor, ...]:
    """The least instances of each running placement in this step.

    Placements that nothing may use any more have none: they may go at once.
    """
    usable = {problem.option(option).placement for path in problem.paths for option in path.options}
    is_frozen = problem.policy.scaling.is_frozen(problem.now_s)
    untrusted = _models_of(problem.policy, held)
    last = {item.placement: item.at for item in started}
    counts: dict[Placement, int] = {}
    for item in problem.running:
        counts[item.placement] = counts.get(item.placement, 0) + item.count
    found = []
    for placement, count in sorted(counts.items()):
        if placement not in usable:
            continue
        if is_frozen:
            found.append(Floor(placement, count, "a freeze"))
        elif placement.model in untrusted:
            found.append(Floor(placement, count, "readings are stale"))
        elif placement in last and now - last[placement] < timedelta(seconds=problem.policy.scaling.cooldown_s):
            found.append(Floor(placement, count, "started within the cooldown"))
        else:
            most = max(1, count * problem.policy.scaling.step_share_permille // WHOLE_PERMILLE)
            if count > most:
                found.append(Floor(placement, count - most, "the step share"))
    return tuple(found)


def _models_of(policy: Policy, services: frozenset[str]) -> frozenset[str]:
    return frozenset(stage.model for s in policy.services if s.name in services for stage in s.stages)


def as_it_runs(problem: Problem) -> tuple[Floor, ...]:
    """Floors that keep every running instance that may stay: a plan above them needs no room that others have.

    What rules let nobody use is left out. No request goes there, so it can be taken away whatever else happens.
    """
    barred = {problem.option(row.option).placement for row in exclusions_of(problem, (STANDING,))}
    counts: dict[Placement, int] = {}
    for item in problem.running:
        counts[item.placement] = counts.get(item.placement, 0) + item.count
    return tuple(
        Floor(placement, count, "no safe order takes it away")
        for placement, count in sorted(counts.items())
        if placement not in barred
    )


def no_more(problem: Problem) -> tuple[Resource, ...]:
    """Rows that let no node hold more of a placement than it does: a plan below them is reached by shrinking alone."""
    standing: dict[Placement, dict[str, int]] = {}
    for item in problem.running:
        standing.setdefault(item.placement, {})[item.node] = item.count
    return tuple(
        Resource(
            "transition",
            None,
            tuple(
                (node.name, standing.get(placement, {}).get(node.name, 0)) for node in problem.nodes_of(placement.pool)
            ),
            tuple((option.id, 1) for option in problem.options if option.placement == placement),
        )
        for placement in sorted({option.placement for option in problem.options})
    )
