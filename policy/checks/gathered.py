"""Stages that stay together where no place has room for all of them, or too few places have.

Judged by documents alone, when every one could be read: what is counted is at least what a plan can have.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping
from functools import reduce
from typing import Final

from policy.catalogue import warning
from policy.checks.rooms import Room, Rooms
from policy.findings import Finding
from policy.resolved import Policy, Service, TogetherClause, Within
from policy.words import counted

LOOSEN: Final = "allow the stages in more pools, let them stay together in a wider place, or take the clause out"
Places = Mapping[Hashable, Collection[Room]]
"""Where a stage may run, by what is to be one for all stages that stay together."""


def parted(policy: Policy) -> Iterator[Finding]:
    """A warning for each clause without a place, and for availability that asks for more places than a clause has."""
    rooms = Rooms(policy)
    for service in policy.services:
        for clause in service.together:
            sites = _sites(service, clause, rooms)
            if sites is None:
                continue
            names = " and ".join(f"`{name}`" for name in dict.fromkeys(clause.stages))
            together = f"stages {names} of `{service.name}` stay together {clause.where}"
            if sites:
                yield from _too_few(service, clause, len(sites), together)
            else:
                message = f"{together}, and none has room for an instance of each"
                yield warning("GW0475", clause.place, message, LOOSEN)


def _too_few(service: Service, clause: TogetherClause, sites: int, together: str) -> Iterator[Finding]:
    """What availability has too few places for, where each site has one for the stages."""
    asked = service.availability
    if asked is None or not service.expected_rate_milli_rps:
        return
    places = [("site", asked.sites)]
    places += [("rack", asked.racks)] if clause.within in (Within.RACK, Within.NODE) else []
    places += [("node", asked.nodes)] if clause.within is Within.NODE else []
    there = f"{together}, and {counted(sites, 'site')} may run them so"
    for what, least in places:
        if least > sites:
            hint = f"ask for {counted(sites, what)} at most, or let the stages run at more sites"
            yield warning("GW0476", asked.place, f"{there}, where {counted(least, what)} are asked for", hint)
            return
    if asked.survives_any_site and sites == 1:
        hint = "let the stages run at another site, too, or take `survives: any-site` out"
        yield warning("GW0476", asked.place, f"{there}, which may be lost", hint)


def _sites(service: Service, clause: TogetherClause, rooms: Rooms) -> frozenset[str] | None:
    """The sites with a place for all stages of a clause; None where it has none, or one of them none by itself."""
    origins = tuple(dict.fromkeys(origin.site for origin in service.origins))
    stages = [stage for stage in service.stages if stage.name in clause.stages]
    by_stage = [list(rooms.of(service, stage, origins)) for stage in stages]
    if not by_stage or not all(by_stage):
        return None
    places = [_places(here, clause.within) for here in by_stage]
    shared = reduce(frozenset[Hashable].intersection, map(frozenset[Hashable], places))
    if clause.within is Within.NODE:
        models = [stage.model for stage in stages]
        by_model = ({model: here[pool][0] for model, here in zip(models, places, strict=True)} for pool in shared)
        return frozenset(rooms_there[models[0]].pool.site for rooms_there in by_model if _fit(rooms_there.values()))
    return frozenset(room.pool.site for place in shared for room in places[0][place])


def _places(rooms: Collection[Room], within: Within) -> dict[Hashable, list[Room]]:
    found: dict[Hashable, list[Room]] = {}
    for room in rooms:
        pool = room.pool
        names: dict[Within, Collection[Hashable]] = {
            Within.SITE: (pool.site,),
            Within.RACK: {(pool.site, pool.rack(index)) for index in range(pool.nodes)},
        }
        for name in names.get(within, (pool.name,)):
            found.setdefault(name, []).append(room)
    return found


def _fit(rooms: Collection[Room]) -> bool:
    """Whether an instance of each of these models fits on one node of their pool."""
    (pool, *_) = (room.pool for room in rooms)
    memory_mib = sum(room.memory_mib for room in rooms)
    return memory_mib <= pool.memory_mib and sum(room.share_permille for room in rooms) <= pool.share_permille
