"""What gateways may follow: what they tell, or what was set last; where neither is sure, whatever it may be of both.

A gateway that was given routes and did not tell that it follows them may do so all the same, at once or later.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace

from controller.actions import Outcome, SetRoutes
from controller.decision import State
from controller.fleet import Parts, RouteSet, Way
from policy.resolved import Policy
from rules.kernel.problem import Placement

Demand = tuple[str, str]


def either(one: RouteSet, other: RouteSet) -> RouteSet:
    """Routes of which it is not known which of both are followed: the ways of both, by their mean weights.

    Of what a gateway lets through it is the more of both. A way has a weight of one permille at least.
    """
    if one == other:
        return one
    weights: Counter[tuple[tuple[Placement, ...], tuple[str, ...]]] = Counter()
    for way in (*one.ways, *other.ways):
        weights[way.placements, way.encodings] += way.weight_permille
    whole, most = weights.total(), max(sum(way.weight_permille for way in each.ways) for each in (one, other))
    scaled = {use: max(1, weight * most // whole) for use, weight in weights.items() if weight}
    if scaled:
        largest = max(scaled, key=lambda use: (scaled[use], use))
        scaled[largest] += most - sum(scaled.values())
    ways = tuple(sorted(Way(weight, *use) for use, weight in scaled.items()))
    return replace(one, ways=ways, parts=_parts(one.parts, other.parts))


def _parts(one: Iterable[Parts], other: Iterable[Parts]) -> tuple[Parts, ...]:
    """Each placement over the nodes of both."""
    found: dict[Placement, Counter[str]] = {}
    for each in (*one, *other):
        found[each.placement] = found.get(each.placement, Counter()) | Counter(dict(each.nodes))
    return tuple(Parts(placement, tuple(sorted(nodes.items()))) for placement, nodes in sorted(found.items()))


def after(routes: Iterable[RouteSet], outcomes: Iterable[Outcome]) -> tuple[RouteSet, ...]:
    """What gateways may follow after these outcomes: what was set, and beside what was before, what could not be."""
    found = _by_demand(routes)
    for outcome in outcomes:
        for item in outcome.action.routes if isinstance(outcome.action, SetRoutes) else ():
            demand = item.service, item.origin
            found[demand] = either(found.get(demand, item), item) if outcome.error else item
    return tuple(sorted(found.values()))


def with_routes(
    state: State,
    routes: Iterable[RouteSet],
    policy: Policy,
    unread: Collection[str] = (),
    maybe: Iterable[RouteSet] = (),
) -> State:
    """The state with the routes that the gateways really follow, of the demands that the policy knows.

    Of origins that are `unread`, those that were last set stay where none were read. `maybe` are followed instead of
    these.
    """
    known = {(service.name, origin.site) for service in policy.services for origin in service.origins}
    found = _by_demand(item for item in state.fleet.routes if item.origin in unread) | _by_demand(routes)
    for demand, item in _by_demand(maybe).items():
        found[demand] = either(found.get(demand, item), item)
    kept = tuple(sorted(item for demand, item in found.items() if demand in known))
    return replace(state, fleet=replace(state.fleet, routes=kept))


def _by_demand(routes: Iterable[RouteSet]) -> dict[Demand, RouteSet]:
    return {(item.service, item.origin): item for item in routes}
