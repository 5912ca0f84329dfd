"""What a site is to have at an instant, from its plan, what it chose by itself, and what answers."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controller.actions import Action, SetLoad, SetRoutes, Unload
from controller.connections.servers import ServerKey
from controller.fleet import Load, RouteSet, Seat
from controller.sites.agent.limits import ServerLimits, held, server_of
from controller.sites.agent.routing import Followed, Reach, as_planned, counts, demand_in, followed, reaching, without
from controller.sites.agent.state import AgentState, Remote
from controller.sites.agent.waves import Ground, Standing, Wanted, changed
from controller.sites.report import Cause, Deviation
from controller.sites.site_plan import SiteLoad, SitePlan

LEAD: Final = timedelta(seconds=20)
"""So long before its evidence ends a load is withdrawn: requests drain, and the server is given time to unload."""
LOADING: Final = timedelta(seconds=90)
"""So long a load may take: what would have to go before is not loaded any more."""
AWAY_AFTER: Final = timedelta(seconds=3)
"""For so long another site's pool has to be silent before requests go around it."""


@dataclass(frozen=True, slots=True)
class Site:
    """What does not change while an agent runs: the limits of its servers, by pool and node."""

    limits: Mapping[ServerKey, ServerLimits]

    @property
    def pools(self) -> frozenset[str]:
        """The pools that are at this site."""
        return frozenset(pool for pool, _ in self.limits)


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to be there, and what requests are to go over as far as it stands."""

    loads: Mapping[Seat, Load]
    gone: frozenset[Seat]
    followed: Followed


def intent_of(site: Site, state: AgentState, plan: SitePlan, standing: Standing, now: datetime) -> Intent:
    """What the plan comes to at this instant."""
    chosen = {choice.seat: choice.instances for choice in state.choices}
    loads = held(_allowed(plan, standing, now), chosen, site.limits)
    loads |= {item.load.seat: standing.loads[item.load.seat] for item in plan.loads if _stays(item, loads, now)}
    there = {seat: load.instances for seat, load in standing.loads.items() if _serves(seat, standing)}
    serving = counts(there, {seat: load.instances for seat, load in loads.items()})
    away = frozenset(item.pool for item in state.remotes if is_away(item, now))
    gone = {item.load.seat for item in plan.loads if not may_run(item, now)}
    gone |= {item.load.seat for item in state.former if item.until is not None}
    return Intent(loads, frozenset(gone), followed(plan, Reach(site.pools, serving, away), now + LEAD))


def wanted(state: AgentState, plan: SitePlan, standing: Standing, intent: Intent, now: datetime) -> Wanted:
    """The intent as waves are made of it."""
    told = state.refused
    settable = {item.load.seat for item in plan.loads if may_be_set(item, now)}
    refused = told is not None and told.generation == plan.generation and None in told.seats
    return Wanted(
        intent.loads,
        intent.followed.routes,
        intent.gone,
        _left(plan, standing.routes or (), intent, now, only_leaving=refused),
        reaching(plan),
        frozenset(each.seat for each in state.failures),
        frozenset(each.seat for each in state.failures if each.urgent),
        frozenset(each.seat for each in state.unread if not each.answered and each.seat in settable),
    )


def _left(
    plan: SitePlan, current: tuple[RouteSet, ...], intent: Intent, now: datetime, *, only_leaving: bool
) -> tuple[RouteSet, ...]:
    """What gateways follow once requests have left what may not run, and ways that are not planned or that end.

    A way that a plan does not have may be barred: its evidence was revoked. So requests do not wait for what is still
    to be loaded in its place; whoever made the plan had that loaded before. `only_leaving`: they leave, and go nowhere
    else, as a gateway that refuses where they are to go keeps them where they are.
    """
    targets = {} if only_leaving else {demand_in(item): item for item in intent.followed.routes}
    left = (
        item if item == before else targets.get(demand_in(item), item)
        for before, item in zip(current, as_planned(current, plan, now + LEAD), strict=True)
    )
    return without(left, intent.gone)


def ground(site: Site, state: AgentState, plan: SitePlan) -> Ground:
    """What servers may be given, and what is known of sizes: of this plan's loads and of those before."""
    known = (*state.former, *plan.loads)
    sizes_mib = {item.load.placement: item.memory_mib for item in known}
    most = {item.load.seat: item.envelope.most for item in known} | dict(state.begun)
    return Ground(site.limits, sizes_mib, most)


def may_run(item: SiteLoad, now: datetime, for_longer: timedelta = LEAD) -> bool:
    """Whether a load is allowed now, and still will be when it could be got rid of."""
    return item.until is None or now + for_longer < item.until


def may_be_set(item: SiteLoad, now: datetime) -> bool:
    """Whether a load may be set now, which takes its time: as it was withdrawn, it would come back."""
    return may_run(item, now, LEAD + LOADING)


def is_away(item: Remote, now: datetime) -> bool:
    """Whether a remote pool was silent for long enough."""
    return (item.answering_since or now) - item.since >= AWAY_AFTER


def is_there(standing: Standing, intent: Intent) -> bool:
    """Whether everything stands as it is meant on the servers that answer, and requests go there.

    Of the other servers the readings tell. What is under way for an older plan may still change it.
    """
    if not all(is_meant(action, intent) for action in standing.under_way):
        return False
    meant = {seat: load for seat, load in intent.loads.items() if server_of(seat) not in standing.silent}
    if standing.routes is None or changed(standing.routes, intent.followed.routes):
        return False
    return meant == dict(standing.loads)


def is_meant(action: Action, intent: Intent) -> bool:
    """Whether what is under way leads to what is meant, also where it began before that was."""
    match action:
        case SetLoad(load):
            return intent.loads.get(load.seat) == load
        case Unload():
            return action.seat not in intent.loads
        case SetRoutes(routes):
            return frozenset(routes) <= frozenset(intent.followed.routes)


def deviations(plan: SitePlan, state: AgentState, intent: Intent, now: datetime) -> tuple[Deviation, ...]:
    """What the site means to have otherwise than its plan says, and why."""
    chosen = {choice.seat: choice.instances for choice in state.choices}
    return (*_of_loads(plan, chosen, intent, now), *_of_routes(intent))


def _serves(seat: Seat, standing: Standing) -> bool:
    """Whether requests may go to a load that is there: not where its server is silent, nor while it is unloaded."""
    return server_of(seat) not in standing.silent and Unload(*seat) not in standing.under_way


def _allowed(plan: SitePlan, standing: Standing, now: datetime) -> list[SiteLoad]:
    """What may run: of what is still to be loaded, only what may stay once it is."""
    return [item for item in plan.loads if may_run(item, now, _needed(item, standing))]


def _stays(item: SiteLoad, loads: Collection[Seat], now: datetime) -> bool:
    """Whether a load stays as it stands, until it goes."""
    return item.load.seat in loads and not may_be_set(item, now)


def _needed(item: SiteLoad, standing: Standing) -> timedelta:
    return LEAD if item.load.seat in standing.loads else LEAD + LOADING


def _of_loads(plan: SitePlan, chosen: Mapping[Seat, int], intent: Intent, now: datetime) -> Iterable[Deviation]:
    for item in plan.loads:
        load, seat = item.load, item.load.seat
        asked = chosen.get(seat, load.instances)
        has = intent.loads[seat].instances if seat in intent.loads else 0
        if has == load.instances:
            continue
        cause = Cause.SCALED if has == asked else Cause.NO_ROOM if may_be_set(item, now) else Cause.ENDED
        yield Deviation(cause, load.placement, load.node, load.instances, has)


def _of_routes(intent: Intent) -> Iterable[Deviation]:
    for service, origin in sorted(intent.followed.on_fallback):
        yield Deviation(Cause.FALLBACK, service=service, origin=origin)
