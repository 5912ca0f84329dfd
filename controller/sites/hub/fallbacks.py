"""What a site may serve alone while other sites do not answer it: ways over its own loads, as far as they have room."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.fleet import Fleet, Load, Parts, RouteSet, Seat, Way, parts_of, routed
from controller.planning.demand import demand_id
from controller.planning.excluded import exclusions_of
from controller.sites.hub.question import Asked
from controller.sites.site_plan import Envelope
from policy.resolved import WHOLE_PERMILLE, Service, Stage, UseVariant
from rules.catalogue import BARRING
from rules.kernel.problem import Demand, Placement


@dataclass(slots=True)
class Alone:
    """A site on its own: what it has loaded, and what that has room for, in thousandths of a call a second."""

    site: str
    parts: Mapping[Placement, Parts]
    here: tuple[Placement, ...]
    room: Counter[Placement]


def fallbacks(
    asked: Asked, fleet: Fleet, envelopes: Mapping[Seat, Envelope], sites: Iterable[str]
) -> tuple[RouteSet, ...]:
    """A route set for each demand from these sites that others take part in, over what its site has loaded.

    It lets through as much as the loads have room for at their most, beside what they serve anyway; demands by turns.
    No rule is broken that bars uses or paths at every moment, and no variant serves before its degrade step is taken:
    what is promised of latency gives way first.
    """
    barred = {(row.demand, row.stage, row.option) for row in exclusions_of(asked.problem, BARRING)}
    found: list[RouteSet] = []
    for site in sites:
        alone = _alone(asked, fleet, envelopes, site)
        for routes in fleet.routes:
            is_away = any(not set(alone.here).issuperset(way.placements) for way in routes.ways)
            if routes.origin == site and is_away:
                found += _fallback(asked, routes, alone, barred)
    return tuple(found)


def _alone(asked: Asked, fleet: Fleet, envelopes: Mapping[Seat, Envelope], site: str) -> Alone:
    own = [load for load in fleet.loads if asked.problem.policy.pool(load.placement.pool).site == site]
    here = tuple(dict.fromkeys(load.placement for load in own if load.placement in asked.options))
    return Alone(site, parts_of({load.seat: load.instances for load in own}), here, _room(asked, own, envelopes))


def _room(asked: Asked, own: Iterable[Load], envelopes: Mapping[Seat, Envelope]) -> Counter[Placement]:
    """What loads can take at their most, less what the plan sends them."""
    room: Counter[Placement] = Counter()
    for load in own:
        if load.placement in asked.options:
            room[load.placement] += asked.options[load.placement].capacity_milli_rps * envelopes[load.seat].most
    for route in asked.plan.routes:
        path = asked.problem.path(route.path)
        demand = asked.problem.demand(path.demand)
        for stage, option in zip(asked.problem.service_of(demand).stages, path.options, strict=True):
            calls = demand.rate_milli_rps * stage.fanout * route.share_permille // WHOLE_PERMILLE
            room[asked.problem.option(option).placement] -= calls
    return room


def _fallback(asked: Asked, routes: RouteSet, alone: Alone, barred: set[tuple[str, str, str]]) -> tuple[RouteSet, ...]:
    """None where some stage has nothing here that may serve it, or there is no room."""
    demand = next((d for d in asked.problem.demands if d.id == demand_id(routes.service, routes.origin)), None)
    if demand is None:
        return ()
    stages = asked.problem.service_of(demand).stages
    found = [_roomiest(asked, demand, stage, alone, barred) for stage in stages]
    placements = tuple(placement for placement in found if placement is not None)
    if len(placements) < len(stages):
        return ()
    weight = _let_through(asked, demand, routes, placements, alone)
    fallback = routed(routes.service, routes.origin, (Way(weight, placements),), alone.parts)
    return (fallback,) if weight and not _breaks(asked.taking((fallback,))) else ()


def _roomiest(
    asked: Asked, demand: Demand, stage: Stage, alone: Alone, barred: set[tuple[str, str, str]]
) -> Placement | None:
    fitting = [
        each
        for each in alone.here
        if each.model == stage.model
        and (demand.id, stage.name, asked.options[each].id) not in barred
        and _step_of(asked.problem.service_of(demand), each) <= asked.plan.level(demand.service)
    ]
    return max(fitting, key=lambda each: alone.room[each], default=None)


def _step_of(service: Service, placement: Placement) -> int:
    """The step of the degrade order from which a variant may serve; 0 where it needs none."""
    variant = placement.model, placement.variant
    steps = enumerate(service.degrade, start=1)
    named = (at for at, step in steps if isinstance(step, UseVariant) and (step.model, step.variant) == variant)
    return next(named, 0)


def _let_through(
    asked: Asked, demand: Demand, routes: RouteSet, placements: tuple[Placement, ...], alone: Alone
) -> int:
    """The permille of the demand that there is room for; it takes that. What goes these ways anyway needs none."""
    anyway = sum(way.weight_permille for way in routes.ways if set(alone.here).issuperset(way.placements))
    calls: Counter[Placement] = Counter()
    for stage, placement in zip(asked.problem.service_of(demand).stages, placements, strict=True):
        calls[placement] += stage.fanout * max(1, demand.rate_milli_rps)
    more = min((alone.room[each] * WHOLE_PERMILLE // calls[each] for each in calls), default=0)
    more = max(0, min(more, WHOLE_PERMILLE - anyway))
    for each, milli_rps in calls.items():
        alone.room[each] -= milli_rps * more // WHOLE_PERMILLE
    return anyway + more


def _breaks(alone: Asked) -> bool:
    return any(rule.applies(alone.problem) and any(rule.check(alone.plan, alone.problem)) for rule in BARRING)
