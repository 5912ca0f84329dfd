"""Whether a plan outlives each site, in other words than for solver and verifier: a linear programme over paths.

Each site is taken away. Every request that went through it, of a service that survives any site and is not at best
effort, is to go over some path beside the site instead, in whatever parts; all others stay on their way or are gone.
"""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import linprog

from policy.resolved import Service, UseVariant
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE, Demand, Path, Problem

NOTHING = 1e-6


def outlives_any_site(problem: Problem, plan: Plan) -> bool:
    """Whether requests could go on whichever site is lost."""
    return all(_outlives(problem, plan, site.name) for site in problem.policy.sites)


def _outlives(problem: Problem, plan: Plan, site: str) -> bool:
    shares = {
        path.id: sum(route.share_permille for route in plan.routes if route.path == path.id) for path in problem.paths
    }
    rest = {
        option.id: plan.count([option.id]) * option.capacity_milli_rps * WHOLE_PERMILLE for option in problem.options
    }
    columns: list[tuple[int, Path]] = []
    moved: list[int] = []
    for path in problem.paths:
        if not goes_to(problem, path, site):
            for option, calls in _calls(problem, path).items():
                rest[option] -= calls * shares[path.id]
        elif shares[path.id] and _asks(problem, plan, path):
            columns += [(len(moved), other) for other in problem.paths if _replaces(problem, other, path, site)]
            moved.append(shares[path.id])
    if not moved:
        return True
    if not columns:
        return False
    taken = np.zeros((len(moved), len(columns)))
    brought = np.zeros((len(problem.options), len(columns)))
    for at, (number, path) in enumerate(columns):
        taken[number, at] = 1
        for option, calls in _calls(problem, path).items():
            brought[list(rest).index(option), at] = calls
    limits = np.concatenate((np.array(moved, float), np.array(list(rest.values()), float)))
    found = linprog(-np.ones(len(columns)), np.vstack((taken, brought)), limits, method="highs")
    return bool(found.success and -found.fun >= sum(moved) - NOTHING)


def goes_to(problem: Problem, path: Path, site: str) -> bool:
    """Whether a site serves a stage of a path."""
    pools = {problem.option(option).placement.pool for option in path.options}
    return any(pool.site == site for pool in problem.policy.pools if pool.name in pools)


def _calls(problem: Problem, path: Path) -> dict[str, int]:
    """What a permille brings each option."""
    demand = problem.demand(path.demand)
    found: dict[str, int] = {}
    for stage, option in zip(problem.policy.service(demand.service).stages, path.options, strict=True):
        found[option] = found.get(option, 0) + stage.fanout * demand.rate_milli_rps
    return found


def _asks(problem: Problem, plan: Plan, path: Path) -> bool:
    service = problem.policy.service(problem.demand(path.demand).service)
    asks = service.availability is not None and service.availability.survives_any_site
    return asks and plan.level(service.name) != len(service.degrade) + 1


def _replaces(problem: Problem, other: Path, path: Path, site: str) -> bool:
    """Whether requests of a path may go over another one when a site is lost."""
    service = problem.policy.service(problem.demand(path.demand).service)
    later = steps(problem, service, other) > steps(problem, service, path)
    return other.demand == path.demand and not goes_to(problem, other, site) and not later


def steps(problem: Problem, service: Service, path: Path) -> int:
    """How many steps of the degrade order have to be taken for a path."""
    variants = {(o.placement.model, o.placement.variant) for o in map(problem.option, path.options)}
    needed = 0
    for model, variant in variants:
        named = [
            number
            for number, step in enumerate(service.degrade, start=1)
            if isinstance(step, UseVariant) and (step.model, step.variant) == (model, variant)
        ]
        needed = max(needed, min(named, default=0))
    return needed


def crowds(problem: Problem, demand: Demand) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """Paths of a demand of a one-stage service, and options that answer all that these bring when a site is lost.

    The paths are those through the site that open by some step, and those that stay on the options where they may go.
    """
    service = problem.policy.service(demand.service)
    own = [path for path in problem.paths if path.demand == demand.id]
    for site in problem.policy.sites:
        lost = [path for path in own if goes_to(problem, path, site.name)]
        for step in {steps(problem, service, path) for path in lost}:
            leaving = {path.id for path in lost if steps(problem, service, path) <= step}
            left = [path for path in own if path not in lost and steps(problem, service, path) <= step]
            refuge = frozenset(option for path in left for option in path.options)
            yield frozenset({*leaving, *(path.id for path in left)}), refuge
