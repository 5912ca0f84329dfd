"""What a site does next, from what it sees and what it wants: whatever can begin now, and then it looks again.

First *withdraw*: requests leave what may not run any longer and what the plan does not have, and what may not run is
unloaded. Then *grow*: what is missing is loaded as far as it fits beside the rest. Then *route*: requests go over what
stands and is wanted. Last *shrink*: what nobody asks any more is unloaded. What did not fit is loaded after that.

What is under way is waited for by what depends on it, and by nothing else: a seat by its own action, room by what is
loaded into it, requests by loads of what they are to go over, an unload by routes that are being set. What is withdrawn
waits for nothing.

Nothing but how much was begun is remembered between two waves, so one that was cut short, by whatever, is taken up from
what is there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from controller.actions import WITHDRAW, Action, SetLoad, SetRoutes, Unload, Wave, seat_of
from controller.connections.servers import ServerKey
from controller.fleet import Load, RouteSet, Seat
from controller.sites.agent.limits import UNLIMITED, Room, ServerLimits, server_of
from controller.sites.agent.routing import Demand, over
from rules.kernel.problem import Placement


@dataclass(frozen=True, slots=True)
class Standing:
    """What is there: loads by seat, servers that do not answer, and what gateways follow, None where none tells.

    `under_way` had begun before it was looked at, and not ended: whether it was done by then is not known. `moving` are
    seats whose servers tell that they load or unload them, by whomever that was begun, and not how many instances.
    `read_at` is when each server was read, where that is not just now. `unread` are seats on which something was begun
    since, or may be under way though nothing tells of it, with the most instances that they may have.
    """

    loads: Mapping[Seat, Load]
    silent: frozenset[ServerKey]
    routes: tuple[RouteSet, ...] | None
    under_way: tuple[Action, ...] = ()
    moving: frozenset[Seat] = frozenset()
    read_at: Mapping[ServerKey, datetime] = field(default_factory=dict)
    unread: Mapping[Seat, int] = field(default_factory=dict)

    def may_have(self, seat: Seat) -> bool:
        """Whether a seat has something, or may have: it is on its way, or its server does not tell."""
        return seat in self.loads or seat in self.moving or seat in self.unread or server_of(seat) in self.silent


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be there.

    `gone` are seats that may not run any longer, and `left` what gateways follow less what goes over those and what is
    not planned. `routes` are of what stands and is wanted, `reaching` what a demand may go over once it stands. Seats
    that are `put_off` are left for later, and so are routes where None is among them; of what is withdrawn those alone
    that were `tried` in vain just now. What a server shows of the seats in `doubt`, which may be set, may not be
    what comes of them.
    """

    loads: Mapping[Seat, Load]
    routes: tuple[RouteSet, ...]
    gone: frozenset[Seat]
    left: tuple[RouteSet, ...]
    reaching: Mapping[Demand, frozenset[Placement]] = field(default_factory=dict)
    put_off: frozenset[Seat | None] = frozenset()
    tried: frozenset[Seat | None] = frozenset()
    doubt: frozenset[Seat] = frozenset()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a server may be given, what one instance takes in MiB, and how many a seat has at the most."""

    limits: Mapping[ServerKey, ServerLimits]
    sizes_mib: Mapping[Placement, int]
    most: Mapping[Seat, int] = field(default_factory=dict)


def next_wave(standing: Standing, wanted: Wanted, ground: Ground) -> Wave | None:
    """The wave to begin next; None when there is nothing to do, or nothing that can be begun now."""
    waiting = _waiting(standing, wanted, ground)
    for name, actions in (
        (WITHDRAW, _withdrawing(standing, wanted)),
        ("grow", _growing(standing, wanted, ground)),
        ("route", _routing(standing, wanted, waiting)),
        ("shrink", _shrinking(standing, wanted, waiting)),
    ):
        if actions:
            return Wave(name, actions)
    return None


def _withdrawing(standing: Standing, wanted: Wanted) -> tuple[Action, ...]:
    """Routes and unloads side by side: a gateway that hangs keeps nothing loaded that may not be.

    What a server that does not tell may hold is unloaded, too: it may be too busy to tell, and do it all the same.
    """
    there = filter(standing.may_have, wanted.gone)
    unloads = (Unload(*seat) for seat in sorted(there) if seat not in wanted.tried)
    routes = () if None in wanted.tried else _setting(standing, wanted.left)
    return tuple(action for action in (*routes, *unloads) if action not in standing.under_way)


def _growing(standing: Standing, wanted: Wanted, ground: Ground) -> tuple[Action, ...]:
    room, taken = Room(ground.limits, ground.sizes_mib), _taken(standing, ground)
    for seat, instances in taken.items():
        room.take(seat, instances)
    actions: list[Action] = []
    for seat, load in sorted(wanted.loads.items()):
        if not _in_hand(seat, standing, wanted):
            continue
        now = standing.loads.get(seat)
        has = min(now.instances, load.instances) if now else 0
        on_its_way = taken.get(seat, 0) - (now.instances if now else 0)
        room.take(seat, -on_its_way)
        more = room.fitting(seat, load.instances - has)
        more = 0 if on_its_way and more < load.instances - has else more
        room.take(seat, max(more, on_its_way))
        target, doubted = replace(load, instances=has + more), seat in wanted.doubt
        is_lacking = now is None or more > 0 or _set_otherwise(now, load) or (doubted and has == now.instances)
        if target.instances and is_lacking and (doubted or target != now):
            actions.append(SetLoad(target, doubted))
    return tuple(actions)


def _taken(standing: Standing, ground: Ground) -> dict[Seat, int]:
    """The instances by seat for which there has to be room: those that stand, or are being loaded or unloaded.

    A server that hangs as it unloads something still has all of it, though it does not tell how much.
    """
    taken = {seat: ground.most.get(seat, UNLIMITED) for seat in standing.moving}
    taken |= {seat: load.instances for seat, load in standing.loads.items()}
    taken |= {seat: max(count, taken.get(seat, 0)) for seat, count in standing.unread.items()}
    return taken | {load.seat: max(load.instances, taken.get(load.seat, 0)) for load in _loading(standing)}


def _routing(standing: Standing, wanted: Wanted, waiting: frozenset[Demand]) -> tuple[Action, ...]:
    if None in wanted.put_off or _sets_routes(standing):
        return ()
    staying = (item for item in standing.routes or () if (item.service, item.origin) in waiting)
    others = (item for item in wanted.routes if (item.service, item.origin) not in waiting)
    return _setting(standing, (*others, *staying))


def _waiting(standing: Standing, wanted: Wanted, ground: Ground) -> frozenset[Demand]:
    """The demands that wait for what is being loaded for them, so that they go over all that is planned at once.

    One that goes over what does not stand any more, or over another site that it is to leave, does not wait.
    """
    pools = {pool for pool, _ in ground.limits}
    loading = {load.placement for load in _loading(standing)}
    elsewhere = {seat for seat in over(wanted.routes) if seat[0].pool not in pools}
    lost = {
        (item.service, item.origin)
        for item in standing.routes or ()
        if any(seat not in (standing.loads if seat[0].pool in pools else elsewhere) for seat in over((item,)))
    }
    return frozenset(demand for demand, reached in wanted.reaching.items() if loading & reached) - lost


def _shrinking(standing: Standing, wanted: Wanted, waiting: frozenset[Demand]) -> tuple[Action, ...]:
    """What is there beyond what is wanted and has no requests any more; nothing while gateways do not tell.

    Fewer instances are not had while requests wait to go elsewhere.
    """
    if standing.routes is None or _sets_routes(standing):
        return ()
    asked = frozenset(over(standing.routes))
    needed = frozenset(over(item for item in standing.routes if (item.service, item.origin) in waiting))
    actions: list[Action] = []
    for seat, now in sorted(standing.loads.items()):
        if not _in_hand(seat, standing, wanted):
            continue
        load = wanted.loads.get(seat)
        if load is None:
            if seat not in asked:
                actions.append(Unload(*seat))
        elif now.instances > load.instances and seat not in needed:
            actions.append(SetLoad(load, seat in wanted.doubt))
    return tuple(actions)


def changed(current: Iterable[RouteSet], wanted: Iterable[RouteSet]) -> tuple[RouteSet, ...]:
    """The route sets to be set: those that differ, and an empty one for each demand that is not wanted at all."""
    now = {(item.service, item.origin): item for item in current}
    then = {(item.service, item.origin): item for item in wanted}
    found = [item for demand, item in then.items() if now.get(demand, _none(item)) != item]
    found += [_none(item) for demand, item in now.items() if demand not in then and item.ways]
    return tuple(sorted(found))


def _setting(standing: Standing, routes: Iterable[RouteSet]) -> tuple[Action, ...]:
    if standing.routes is None:
        return ()
    differing = changed(standing.routes, routes)
    return (SetRoutes(differing),) if differing else ()


def _in_hand(seat: Seat, standing: Standing, wanted: Wanted) -> bool:
    """Whether anything may be begun on a seat now."""
    if server_of(seat) in standing.silent or seat in wanted.put_off:
        return False
    return all(seat_of(action) != seat for action in standing.under_way)


def _loading(standing: Standing) -> list[Load]:
    """What is being loaded, so that more of it stands than does now."""
    there = {seat: load.instances for seat, load in standing.loads.items()}
    loads = (action.load for action in standing.under_way if isinstance(action, SetLoad))
    return [load for load in loads if load.instances > there.get(load.seat, 0)]


def _sets_routes(standing: Standing) -> bool:
    return any(isinstance(action, SetRoutes) for action in standing.under_way)


def _none(item: RouteSet) -> RouteSet:
    return RouteSet(item.service, item.origin, ())


def _set_otherwise(now: Load, wanted: Load) -> bool:
    return (now.max_batch, now.queue_delay_us) != (wanted.max_batch, wanted.queue_delay_us)
