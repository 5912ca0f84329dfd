"""Where requests go just now: the plan's ways as far as they are allowed and what they go over stands."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from controller.fleet import Parts, RouteSet, Seat, Way, parts_of, routed
from controller.sites.site_plan import SitePlan, SiteRoute
from rules.kernel.problem import Placement

Demand = tuple[str, str]
"""A service and the origin of its requests."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What requests can go over: the `pools` of this site, instances by seat there, and remote pools `away`.

    A pool of another site that is not away counts as one that serves.
    """

    pools: frozenset[str]
    standing: Mapping[Seat, int]
    away: frozenset[str] = frozenset()

    def serves(self, placement: Placement) -> bool:
        """Whether something answers there."""
        if placement.pool not in self.pools:
            return placement.pool not in self.away
        return any(count for (each, _), count in self.standing.items() if each == placement)


@dataclass(frozen=True, slots=True)
class Followed:
    """What gateways are to follow, and which demands go by their fallback."""

    routes: tuple[RouteSet, ...]
    on_fallback: frozenset[Demand]


def followed(plan: SitePlan, reach: Reach, now: datetime) -> Followed:
    """The routes of a plan at an instant.

    A demand goes by its fallback while a remote pool on any of its ways is away. Without one that serves, it keeps the
    ways that do serve, and all that are allowed where none does.
    """
    fallbacks = {demand_of(item): item for item in plan.fallbacks}
    routes, on_fallback = [], set()
    for item in plan.routes:
        demand = demand_of(item)
        own = _allowed(item, now)
        stand_in = _serving(_allowed(fallbacks[demand], now), reach) if demand in fallbacks else ()
        if stand_in and (_goes_away(own, reach) or not _serving(own, reach)):
            on_fallback.add(demand)
            ways = stand_in
        else:
            ways = _serving(own, reach) or _standing_elsewhere(own, reach)
        routes.append(_parted(item.routes, ways, reach))
    return Followed(tuple(sorted(routes)), frozenset(on_fallback))


def without(current: Iterable[RouteSet], gone: Collection[Seat]) -> tuple[RouteSet, ...]:
    """What gateways follow, less what goes over seats that are gone."""
    return tuple(sorted(_stripped(item, gone) for item in current))


def as_planned(current: Iterable[RouteSet], plan: SitePlan, now: datetime) -> tuple[RouteSet, ...]:
    """What gateways follow, in order, less each way that neither its demand's route nor its fallback has by then."""
    planned: defaultdict[Demand, set[tuple[object, ...]]] = defaultdict(set)
    for item in (*plan.routes, *plan.fallbacks):
        planned[demand_of(item)].update((way.placements, way.encodings) for way in _allowed(item, now))

    def less(item: RouteSet) -> RouteSet:
        kept = planned[item.service, item.origin]
        ways = _scaled(item.ways, lambda way: (way.placements, way.encodings) in kept)
        return item if ways == item.ways else routed(*demand_in(item), ways, {p.placement: p for p in item.parts})

    return tuple(map(less, current))


def reaching(plan: SitePlan) -> dict[Demand, frozenset[Placement]]:
    """What the requests of each demand may go over, once it stands."""
    found: defaultdict[Demand, set[Placement]] = defaultdict(set)
    for item in (*plan.routes, *plan.fallbacks):
        found[demand_of(item)].update(placement for way in item.routes.ways for placement in way.placements)
    return {demand: frozenset(placements) for demand, placements in found.items()}


def over(routes: Iterable[RouteSet]) -> Iterator[Seat]:
    """The seats that requests go to. Where a placement is parted over nodes, each of them is one."""
    for item in routes:
        for way in item.ways:
            for placement in way.placements:
                yield from ((placement, node) for node, _ in item.nodes_of(placement))
                if not item.nodes_of(placement):
                    yield placement, ""


def demand_in(routes: RouteSet) -> Demand:
    """The demand whose requests a route set is for."""
    return routes.service, routes.origin


def demand_of(item: SiteRoute) -> Demand:
    """The demand whose requests a route is for."""
    return demand_in(item.routes)


def _allowed(item: SiteRoute, now: datetime) -> tuple[Way, ...]:
    return () if item.until is not None and now >= item.until else item.routes.ways


def _goes_away(ways: Iterable[Way], reach: Reach) -> bool:
    return any(placement.pool in reach.away for way in ways for placement in way.placements)


def _serving(ways: tuple[Way, ...], reach: Reach) -> tuple[Way, ...]:
    return _scaled(ways, lambda way: all(map(reach.serves, way.placements)))


def _standing_elsewhere(ways: tuple[Way, ...], reach: Reach) -> tuple[Way, ...]:
    """The ways that lack nothing of this site: those to other sites are tried, whatever is thought of them."""
    here = replace(reach, away=frozenset())
    return _serving(ways, here)


def _scaled(ways: tuple[Way, ...], wanted: Callable[[Way], bool]) -> tuple[Way, ...]:
    """Some of the ways, with the weights of all: by cumulated weights, each less than one permille off."""
    kept = tuple(way for way in ways if wanted(way))
    whole, part = sum(way.weight_permille for way in ways), sum(way.weight_permille for way in kept)
    if whole == part or not part:
        return kept
    found, before = [], 0
    for way in kept:
        after = before + way.weight_permille
        found.append(replace(way, weight_permille=whole * after // part - whole * before // part))
        before = after
    return tuple(way for way in found if way.weight_permille)


def _parted(planned: RouteSet, ways: tuple[Way, ...], reach: Reach) -> RouteSet:
    """The ways, with requests parted over what stands here, and as planned over what stands elsewhere."""
    here = parts_of({seat: count for seat, count in reach.standing.items() if seat[0].pool in reach.pools})
    elsewhere = {item.placement: item for item in planned.parts if item.placement.pool not in reach.pools}
    return routed(planned.service, planned.origin, ways, {**elsewhere, **here})


def _stripped(item: RouteSet, gone: Collection[Seat]) -> RouteSet:
    parts: dict[Placement, Parts] = {}
    for each in item.parts:
        left = tuple((node, weight) for node, weight in each.nodes if (each.placement, node) not in gone)
        if left:
            parts[each.placement] = Parts(each.placement, left)
    parted = {each.placement for each in item.parts}
    lost = {placement for placement in parted if placement not in parts} | {p for p, node in gone if not node}
    return routed(item.service, item.origin, _scaled(item.ways, lambda way: not lost & set(way.placements)), parts)


def counts(standing: Mapping[Seat, int], wanted: Mapping[Seat, int]) -> Counter[Seat]:
    """What of the standing instances requests may go to: as many as are wanted, and none that are not."""
    return Counter({seat: min(count, wanted[seat]) for seat, count in standing.items() if wanted.get(seat)})
