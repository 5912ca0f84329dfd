"""Withdrawing: routes leave what may not serve until a transition is over, before anything else happens."""

from collections.abc import Mapping
from dataclasses import replace

from controller.fleet import Fleet
from controller.planning.excluded import exclusions_of
from controller.planning.transitions.takeover import taken_over
from rules.kernel.plan import Plan, Route, Unserved
from rules.kernel.problem import WHOLE_PERMILLE, Problem


def withdraw(running: Plan, passing: Problem, current: Fleet) -> Plan:
    """Only the routes that may serve until the transition is over; what the others carried goes to these.

    Of services that survive any site, it goes to where there is room first. What is refused on purpose stays refused:
    the shares of a demand sum to what its gateway lets through now.
    """
    taken = {option for route in running.routes for option in passing.path(route.path).options}
    used = replace(passing, options=tuple(option for option in passing.options if option.id in taken), paths=())
    barred = {(row.demand, row.stage, row.option) for row in exclusions_of(used) if row.demand}
    let_through = {
        f"{routes.service}@{routes.origin}": sum(way.weight_permille for way in routes.ways)
        for routes in current.routes
    }
    kept: dict[str, dict[str, int]] = {}
    for route in running.routes:
        path = passing.path(route.path)
        stages = passing.service_of(passing.demand(path.demand)).stages
        if not any((path.demand, s.name, o) in barred for s, o in zip(stages, path.options, strict=True)):
            kept.setdefault(path.demand, {})[route.path] = route.share_permille
    left = replace(running, routes=tuple(Route(*item) for shares in kept.values() for item in shares.items()))
    lost = {
        demand.id: let_through.get(demand.id, WHOLE_PERMILLE) - sum(kept.get(demand.id, {}).values())
        for demand in passing.demands
    }
    for route in taken_over(left, lost, passing):
        shares = kept.setdefault(passing.path(route.path).demand, {})
        shares[route.path] = shares.get(route.path, 0) + route.share_permille
    scaled = {demand: _scaled(shares, let_through.get(demand, WHOLE_PERMILLE)) for demand, shares in kept.items()}
    refused = {d.id: WHOLE_PERMILLE - sum(scaled.get(d.id, {}).values()) for d in passing.demands}
    return replace(
        running,
        routes=tuple(sorted(Route(*item) for shares in scaled.values() for item in shares.items())),
        unserved=tuple(sorted(Unserved(demand, share) for demand, share in refused.items() if share)),
    )


def without_idle(plan: Plan, problem: Problem, barred: frozenset[str]) -> Plan:
    """A plan without the instances of these options to which it sends nothing."""
    idle = barred - {option for route in plan.routes for option in problem.path(route.path).options}
    return replace(plan, instances=tuple(item for item in plan.instances if item.option not in idle)) if idle else plan


def _scaled(shares: Mapping[str, int], whole: int) -> dict[str, int]:
    """The shares, stretched to sum to `whole`; what rounding leaves goes to the largest."""
    total = sum(shares.values())
    scaled = {path: share * whole // total for path, share in shares.items()}
    largest = max(scaled, key=lambda path: (scaled[path], path))
    scaled[largest] += whole - sum(scaled.values())
    return scaled
