"""Acting on sites: what is wanted goes into the site's plan, and is done once the site has brought that about.

What a site does not bring about is taken out of its plan again, so that it does not come later unasked.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from collectors.snapshot import ModelState
from controller.acting.actuator import Actuator, ActuatorError, UnreadError
from controller.actions import Action, SetLoad, SetRoutes, seat_of
from controller.fleet import Load, RouteSet, Seat
from controller.journal.errors import JournalError
from controller.loop.turn import RouteReader
from controller.sites.hub.desk import Ask, Desk, Shown
from controller.sites.hub.heard import Heard
from controller.sites.hub.publishing import Change
from controller.sites.hub.readings import own_routes
from controller.sites.hub.terms import Terms
from controller.sites.site_plan import SiteLoad, SitePlan, SiteRoute
from policy.resolved import Policy


class SiteServers:
    """Loads and unloads at sites with agents."""

    name = "sites"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def handles(self, action: Action) -> bool:
        """Loads and unloads in a pool of such a site."""
        seat = seat_of(action)
        return seat is not None and bool(self._desk.sites.site_of(seat[0].pool))

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002 - the action says all
        """Have the load as wanted, or the placement gone. Raises ActuatorError."""
        seat = seat_of(action)
        if seat is None:
            raise ActuatorError(f"{self.name} cannot do {type(action).__name__}: give it to the one that handles it")
        site = self._desk.sites.site_of(seat[0].pool)
        load = action.load if isinstance(action, SetLoad) else None
        wanted = _terms(self._desk).load(load) if load else None
        plan = await _plan(self._desk, site)
        before = next((item for item in plan.loads if item.load.seat == seat), None)
        ask = Ask(_with_load(seat, wanted), _with_load(seat, before), _showing(seat, load), seat)
        try:
            await self._desk.bring_about(site, ask)
        except asyncio.CancelledError:
            if load is not None:
                await self._desk.take_back(site, ask)
            raise


class SiteRoutes:
    """Routes of sites with agents, beside those of the gateways that `others` sets and reads."""

    name = "routes"

    def __init__(self, desk: Desk, others: Actuator, reader: RouteReader) -> None:
        self._desk = desk
        self._others = others
        self._reader = reader

    def handles(self, action: Action) -> bool:
        """Routes."""
        return isinstance(action, SetRoutes)

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:
        """Have the demands of sites routed as wanted, and all others. Raises ActuatorError.

        A site that is cut off keeps what it has.
        """
        if not isinstance(action, SetRoutes):
            raise ActuatorError(f"{self.name} cannot do {type(action).__name__}: give it to the one that handles it")
        of_sites: defaultdict[str, list[RouteSet]] = defaultdict(list)
        elsewhere = []
        for item in action.routes:
            if item.origin in self._desk.sites.agents:
                of_sites[item.origin].append(item)
            else:
                elsewhere.append(item)
        work = [self._set(site, routes) for site, routes in of_sites.items()]
        if elsewhere:
            work.append(self._others.apply(decision_id, SetRoutes(tuple(elsewhere)), policy))
        failed = [each for each in await asyncio.gather(*work, return_exceptions=True) if each is not None]
        if failed:
            raise failed[0]

    async def routes(self) -> tuple[RouteSet, ...]:
        """What all gateways follow now.

        Raises ActuatorError, and UnreadError where some do not tell. Of such a site, what it was given may be followed.
        """
        read: list[RouteSet] = []
        maybe: list[RouteSet] = []
        unread = [site for site in self._desk.sites.agents if self._desk.is_unread(site)]
        try:
            for site in self._desk.sites.agents:
                (maybe if site in unread else read).extend(await self._desk.routes(site))
        except JournalError as error:
            raise ActuatorError(str(error)) from error
        told = [f"a gateway of site {site} does not tell what it follows: see its agent's log" for site in unread]
        try:
            read += await self._reader.routes()
        except UnreadError as error:
            origins = (*unread, *error.origins)
            told.append(str(error))
            raise UnreadError("; ".join(told), (*read, *error.read), origins, (*maybe, *error.maybe)) from error
        if unread:
            raise UnreadError("; ".join(told), read, unread, maybe)
        return tuple(sorted(read))

    async def _set(self, site: str, routes: list[RouteSet]) -> None:
        if self._desk.is_cut_off(site):
            self._desk.untold.update({(item.service, item.origin): item for item in routes})
            return
        terms, plan = _terms(self._desk), await _plan(self._desk, site)
        names = {item.service for item in routes}
        before = tuple(item for item in plan.routes if item.routes.service in names)
        wanted = tuple(map(terms.route, routes))
        back = None if _only_leaving(before, routes) else _with_routes(names, before, terms)
        await self._desk.bring_about(site, Ask(_with_routes(names, wanted, terms), back, _following(site, routes)))


def _with_load(seat: Seat, wanted: SiteLoad | None) -> Change:
    """Have the load at a seat as wanted, or none there, and no fallback over what is gone."""

    def change(plan: SitePlan) -> SitePlan:
        others = [item for item in plan.loads if item.load.seat != seat]
        loads = tuple(sorted([*others, wanted] if wanted else others, key=lambda item: item.load))
        there = {item.load.placement for item in loads}
        back = (item for item in plan.fallbacks if there.issuperset(p for w in item.routes.ways for p in w.placements))
        return replace(plan, loads=loads, fallbacks=tuple(back))

    return change


def _with_routes(names: Iterable[str], wanted: Iterable[SiteRoute], terms: Terms) -> Change:
    """Have the routes of these services as wanted; fallbacks go with them once the plan is whole."""
    services, routes = frozenset(names), tuple(wanted)

    def change(plan: SitePlan) -> SitePlan:
        others = tuple(item for item in plan.routes if item.routes.service not in services)
        return terms.with_routes(plan, (*others, *routes))

    return change


def _showing(seat: Seat, wanted: Load | None) -> Shown:
    """Whether a site tells of the load at a seat, or of none there; a server that does not tell shows neither."""
    placement, node = seat

    def shown(heard: Heard) -> bool:
        servers = (each for each in heard.report.seen.servers if (each.pool, each.node) == (placement.pool, node))
        held = next((each.reading.value for each in servers if each.reading.value is not None), None)
        if held is None:
            return False
        there = {
            Load(placement, model.instances, model.max_batch, model.queue_delay_us, node)
            for model in held.models
            if (model.model, model.variant) == (placement.model, placement.variant)
            if model.state is not ModelState.UNAVAILABLE
        }
        return there == ({wanted} if wanted else set())

    return shown


def _only_leaving(before: Iterable[SiteRoute], wanted: Iterable[RouteSet]) -> bool:
    """Whether requests take no way that they did not take before: they may have to leave one, and must not go back."""
    known = {(item.routes.service, way.placements, way.encodings) for item in before for way in item.routes.ways}
    return all((item.service, way.placements, way.encodings) in known for item in wanted for way in item.ways)


def _following(site: str, wanted: Iterable[RouteSet]) -> Shown:
    """Whether a site tells that its gateways follow these routes; also of demands that are refused they tell so."""
    asked = frozenset(wanted)
    return lambda heard: asked <= frozenset(own_routes(heard, site))


async def _plan(desk: Desk, site: str) -> SitePlan:
    try:
        return await desk.sites.plans.newest(site) or desk.of_itself(site)
    except JournalError as error:
        raise ActuatorError(f"site {site}: {error}") from error


def _terms(desk: Desk) -> Terms:
    if desk.terms is None:
        raise ActuatorError("nothing was decided for sites yet: a fault of Gridwright, report it")
    return desk.terms
