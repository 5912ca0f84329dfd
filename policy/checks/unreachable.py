"""What is asked for and can never be had, whatever is planned: too few places, too little room, no money at all.

Judged only when every document could be read, as absences are.
"""

from collections.abc import Iterable, Iterator

from policy.catalogue import warning
from policy.checks.rooms import Room, Rooms
from policy.findings import Finding, Place
from policy.resolved import AvailabilityObjective, Ceiling, Policy, Pool, Service, Stage
from policy.words import counted, dollars, dollars_per_hour


def unreachable(policy: Policy) -> Iterator[Finding]:
    """Warnings for availability that no stage can have, and for ceilings under which some stage cannot run."""
    rooms = Rooms(policy)
    for service in policy.services:
        if service.availability and service.expected_rate_milli_rps and _asks_for_more_than_one(service.availability):
            yield from _places(service, service.availability, rooms)
            yield from _spares(service, service.availability, rooms)
            yield from _bounded(policy, service, service.availability)
    prices = sorted(pool.price_millicents_per_hour for pool in policy.pools) or [0]
    for ceiling in policy.cost.ceilings:
        if ceiling.service or ceiling.team:
            yield from _nothing_for_use(policy, ceiling, rooms)
        elif ceiling.site and not ceiling.millicents_per_hour:
            yield from _nothing_may_leave(policy, ceiling.site, ceiling.place)
        elif not ceiling.site and prices[0] <= ceiling.millicents_per_hour < prices[-1]:
            yield from _too_little_for_a_stage(policy, ceiling, rooms)


def _asks_for_more_than_one(objective: AvailabilityObjective) -> bool:
    """Whether a stage that may run at all could have too little."""
    return max(objective.sites, objective.racks, objective.nodes, objective.spares + 1) > 1


def _places(service: Service, objective: AvailabilityObjective, rooms: Rooms) -> Iterator[Finding]:
    """The first stage that may stand in too few places."""
    for stage in service.stages:
        short = _short(objective, rooms.of(service, stage, _origins(service)))
        if short:
            what, there, asked = short
            message = (
                f"where stage `{stage.name}` of `{service.name}` may run there {'is' if there == 1 else 'are'} "
                f"{counted(there, what)} in all, and {asked} are asked for"
            )
            hint = f"ask for {counted(there, what)} at most, or allow the stage in more pools"
            yield warning("GW0470", objective.place, message, hint)
            return


def _short(objective: AvailabilityObjective, rooms: Iterable[Room]) -> tuple[str, int, int] | None:
    """What the pools have too few of, how many, and how many are asked for; None for no pool, which others tell of."""
    sites: set[str] = set()
    racks: set[tuple[str, str]] = set()
    nodes = 0
    for pool in (room.pool for room in rooms):
        sites.add(pool.site)
        racks |= {(pool.site, pool.rack(index)) for index in range(pool.nodes)}
        nodes += pool.nodes
        if len(sites) >= objective.sites and len(racks) >= objective.racks and nodes >= objective.nodes:
            return None
    there = (
        ("site", len(sites), objective.sites),
        ("rack", len(racks), objective.racks),
        ("node", nodes, objective.nodes),
    )
    return next((each for each in there if each[1] < each[2]), None) if nodes else None


def _spares(service: Service, objective: AvailabilityObjective, rooms: Rooms) -> Iterator[Finding]:
    """The first stage of which too few instances fit, wherever its requests are from."""
    for stage in service.stages if objective.spares else ():
        for origin in _origins(service):
            most = _most(rooms.of(service, stage, [origin]), objective.spares)
            if 0 < most <= objective.spares:
                message = (
                    f"{counted(most, 'instance')} at most fit of `{stage.model}` for stage `{stage.name}` of "
                    f"`{service.name}`, and {objective.spares} are to stand by beside those that serve"
                )
                hint = f"ask for {counted(most - 1, 'spare')} at most, or allow the stage in more pools"
                yield warning("GW0471", objective.place, message, hint)
                return


def _bounded(policy: Policy, service: Service, objective: AvailabilityObjective) -> Iterator[Finding]:
    """A bound of the fleet that leaves fewer instances of a stage's model than places or spares are asked for."""
    models = {stage.model for stage in service.stages}
    places = (("site", objective.sites), ("rack", objective.racks), ("node", objective.nodes))
    for bound in policy.scaling.bounds:
        if bound.site or not bound.maximum or bound.model not in models:
            continue  # one of 0 leaves the stage no pool, which is told elsewhere
        most = f"the bound `max: {bound.maximum}` of `{bound.model}` at {bound.place}"
        what, asked = max(places, key=lambda each: each[1])
        if asked > bound.maximum:
            message = (
                f"`{service.name}` asks for {counted(asked, what)}, and {most} leaves instances for {bound.maximum}"
            )
            hint = f"ask for {counted(bound.maximum, what)} at most, or raise the bound"
            yield warning("GW0470", objective.place, message, hint)
        if objective.spares >= bound.maximum:
            message = (
                f"{most} leaves fewer than {counted(objective.spares, 'spare')} for `{service.name}` beside what serves"
            )
            hint = f"ask for {counted(bound.maximum - 1, 'spare')} at most, or raise the bound"
            yield warning("GW0471", objective.place, message, hint)


def _most(rooms: Iterable[Room], enough: int) -> int:
    """How many instances fit, counted until there are more than enough."""
    most = 0
    for room in rooms:
        most += room.most * room.pool.nodes
        if most > enough:
            break
    return most


def _too_little_for_a_stage(policy: Policy, ceiling: Ceiling, rooms: Rooms) -> Iterator[Finding]:
    """A ceiling of the fleet that pays for some node, and for none that a stage may run on: the first such stage."""
    for service, stage in _stages(policy.services):
        cheapest = _cheapest(rooms.of(service, stage, _origins(service)), ceiling.millicents_per_hour)
        if cheapest:
            message = (
                f"{dollars_per_hour(ceiling.millicents_per_hour)} does not pay for a node that stage `{stage.name}` "
                f"of `{service.name}` may run on: the cheapest is of `{cheapest.name}` at "
                f"{dollars_per_hour(cheapest.price_millicents_per_hour)}"
            )
            yield warning("GW0333", ceiling.place, message, "raise the ceiling, or allow the stage in a cheaper pool")
            return


def _nothing_for_use(policy: Policy, ceiling: Ceiling, rooms: Rooms) -> Iterator[Finding]:
    """A ceiling of $0 on what requests use, where a stage of theirs runs on nothing that is free."""
    if ceiling.millicents_per_hour:
        return
    bounded = [s for s in policy.services if s.name == ceiling.service or (ceiling.team and s.team == ceiling.team)]
    for service, stage in _stages(bounded):
        cheapest = _cheapest(rooms.of(service, stage, _origins(service)), 0)
        if cheapest:
            message = (
                f"no request of `{service.name}` may cost anything, and a node for its stage `{stage.name}` costs "
                f"{dollars_per_hour(cheapest.price_millicents_per_hour)} at least, in `{cheapest.name}`"
            )
            yield warning("GW0472", ceiling.place, message, "raise the ceiling, or take it out")
            return


def _nothing_may_leave(policy: Policy, site: str, place: Place) -> Iterator[Finding]:
    """A ceiling of $0 on a site without pools, where each Link to a pool has a price for what leaves it."""
    serving = {pool.site for pool in policy.pools}
    prices = [
        link.egress_from(site) for link in policy.links if {link.a, link.b} & serving and site in (link.a, link.b)
    ]
    if site in serving or not prices or not min(prices):
        return
    for service, stage in _stages(policy.services):
        if stage.payload_bytes and site in _origins(service):
            message = (
                f"nothing may be spent at `{site}`, and inputs of stage `{stage.name}` of `{service.name}` cross a "
                f"Link from there that costs {dollars(min(prices))}/GiB at least"
            )
            yield warning("GW0472", place, message, "raise the ceiling, or take it out")
            return


def _cheapest(rooms: Iterable[Room], paid_millicents: int) -> Pool | None:
    """The cheapest of the pools, where none is paid for; None also where there is no pool."""
    cheapest: Pool | None = None
    for pool in (room.pool for room in rooms):
        if pool.price_millicents_per_hour <= paid_millicents:
            return None
        if cheapest is None or pool.price_millicents_per_hour < cheapest.price_millicents_per_hour:
            cheapest = pool
    return cheapest


def _stages(services: Iterable[Service]) -> Iterator[tuple[Service, Stage]]:
    """The stages that there are requests for."""
    for service in services:
        for stage in service.stages if service.expected_rate_milli_rps else ():
            yield service, stage


def _origins(service: Service) -> list[str]:
    return [origin.site for origin in service.origins]
