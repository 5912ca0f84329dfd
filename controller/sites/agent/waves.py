"""What a site does next, from what it sees and what it wants: one wave at a time, and then it looks again.

First *withdraw*: requests leave what may not run any longer, and it is unloaded. Then *grow*: what is missing is loaded
as far as it fits beside the rest. Then *route*: requests go over what stands and is wanted. Last *shrink*: what nobody
asks any more is unloaded. What did not fit is loaded after that. Nothing is remembered between two waves, so one that
was cut short, by whatever, is taken up from what is there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from controller.actions import WITHDRAW, Action, SetLoad, SetRoutes, Unload, Wave
from controller.connections.servers import ServerKey
from controller.fleet import Load, RouteSet, Seat
from controller.sites.agent.limits import Room, ServerLimits, server_of
from controller.sites.agent.routing import over
from rules.kernel.problem import Placement


@dataclass(frozen=True, slots=True)
class Standing:
    """What is there: loads by seat, servers that do not answer, and what gateways follow, None where none tells."""

    loads: Mapping[Seat, Load]
    silent: frozenset[ServerKey]
    routes: tuple[RouteSet, ...] | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be there.

    `gone` are seats that may not run any longer, and `left` what gateways follow less what goes over those. `routes`
    are of what stands and is wanted. Seats that are `put_off` are left for later, and so are routes.
    """

    loads: Mapping[Seat, Load]
    routes: tuple[RouteSet, ...]
    gone: frozenset[Seat]
    left: tuple[RouteSet, ...]
    put_off: frozenset[Seat] = frozenset()
    routes_put_off: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """What a server may be given, and what one instance takes in MiB."""

    limits: Mapping[ServerKey, ServerLimits]
    sizes_mib: Mapping[Placement, int]


def next_wave(standing: Standing, wanted: Wanted, ground: Ground) -> Wave | None:
    """The wave to do next; None when there is nothing to do, or nothing that can be done now."""
    for name, actions in (
        (WITHDRAW, _withdrawing(standing, wanted)),
        ("grow", _growing(standing, wanted, ground)),
        ("route", _routing(standing, wanted)),
        ("shrink", _shrinking(standing, wanted)),
    ):
        if actions:
            return Wave(name, actions)
    return None


def _withdrawing(standing: Standing, wanted: Wanted) -> tuple[Action, ...]:
    """Routes and unloads side by side: a gateway that hangs keeps nothing loaded that may not be.

    What a server that does not tell may hold is unloaded, too: it may be too busy to tell, and do it all the same.
    """
    there = (seat for seat in wanted.gone if seat in standing.loads or server_of(seat) in standing.silent)
    gone = sorted(seat for seat in there if seat not in wanted.put_off)
    return (*_setting(standing, wanted, wanted.left), *(Unload(*seat) for seat in gone))


def _growing(standing: Standing, wanted: Wanted, ground: Ground) -> tuple[Action, ...]:
    room = Room(ground.limits, ground.sizes_mib)
    for seat, load in standing.loads.items():
        room.take(seat, load.instances)
    actions: list[Action] = []
    for seat, load in sorted(wanted.loads.items()):
        if not _in_hand(seat, standing, wanted):
            continue
        now = standing.loads.get(seat)
        more = room.fitting(seat, load.instances - now.instances) if now else room.fitting(seat, load.instances)
        if now is None or load.instances > now.instances:
            room.take(seat, more)
        count = more + (now.instances if now else 0)
        target = replace(load, instances=min(count, load.instances))
        if count and (now is None or more > 0 or _set_otherwise(now, load)) and target != now:
            actions.append(SetLoad(target))
    return tuple(actions)


def _routing(standing: Standing, wanted: Wanted) -> tuple[Action, ...]:
    return _setting(standing, wanted, wanted.routes)


def _shrinking(standing: Standing, wanted: Wanted) -> tuple[Action, ...]:
    """What is there beyond what is wanted and has no requests any more; nothing while gateways do not tell."""
    if standing.routes is None:
        return ()
    asked = frozenset(over(standing.routes))
    actions: list[Action] = []
    for seat, now in sorted(standing.loads.items()):
        if not _in_hand(seat, standing, wanted):
            continue
        load = wanted.loads.get(seat)
        if load is None:
            if seat not in asked:
                actions.append(Unload(*seat))
        elif now.instances > load.instances:
            actions.append(SetLoad(load))
    return tuple(actions)


def changed(current: Iterable[RouteSet], wanted: Iterable[RouteSet]) -> tuple[RouteSet, ...]:
    """The route sets to be set: those that differ, and an empty one for each demand that is not wanted at all."""
    now = {(item.service, item.origin): item for item in current}
    then = {(item.service, item.origin): item for item in wanted}
    found = [item for demand, item in then.items() if now.get(demand, _none(item)) != item]
    found += [_none(item) for demand, item in now.items() if demand not in then and item.ways]
    return tuple(sorted(found))


def _setting(standing: Standing, wanted: Wanted, routes: Iterable[RouteSet]) -> tuple[Action, ...]:
    if standing.routes is None or wanted.routes_put_off:
        return ()
    differing = changed(standing.routes, routes)
    return (SetRoutes(differing),) if differing else ()


def _in_hand(seat: Seat, standing: Standing, wanted: Wanted) -> bool:
    """Whether anything may be done on a seat now."""
    return server_of(seat) not in standing.silent and seat not in wanted.put_off


def _none(item: RouteSet) -> RouteSet:
    return RouteSet(item.service, item.origin, ())


def _set_otherwise(now: Load, wanted: Load) -> bool:
    return (now.max_batch, now.queue_delay_us) != (wanted.max_batch, wanted.queue_delay_us)
