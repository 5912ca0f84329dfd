"""Stages that may run nowhere, whatever is planned, and the clause that leaves them no pool.

Judged only when every document could be read, and of models that some pool has a profile of.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from policy.catalogue import warning
from policy.checks.rooms import Room, Rooms
from policy.clauses import ComplianceProfile
from policy.findings import Finding, Place
from policy.resolved import Origin, Policy, Pool, ReplicaBound, Service, Stage
from policy.words import counted

LOOSEN: Final = "loosen it, or add a pool that it admits"


@dataclass(frozen=True, slots=True)
class Bar:
    """A clause, which `what` names, and the pools that it bars."""

    what: str
    place: Place
    pools: tuple[Pool, ...]
    hint: str = LOOSEN


def roomless(policy: Policy) -> Iterator[Finding]:
    """A warning for the first such stage of each service."""
    rooms, ends = Rooms(policy), _ends(policy)
    closed: defaultdict[str, list[ReplicaBound]] = defaultdict(list)
    for bound in policy.scaling.bounds:
        if bound.maximum == 0:
            closed[bound.model].append(bound)
    for service in policy.services:
        origins = [origin for origin in service.origins if origin.site in ends]
        for stage, origin in product(service.stages, origins):
            bounds, reached = closed.get(stage.model, ()), ends[origin.site]
            if _is_open(rooms.of(service, stage, (origin.site,)), reached, bounds):
                continue
            known = tuple({pool.name: pool for pool, _ in rooms.runnable(stage)}.values())
            if known:  # a model without any profile is told elsewhere
                bars = [*_of_service(rooms, service, stage, known), *_of_profiles(rooms, service, stage, origin, known)]
                bars += [_of_bound(bound, known) for bound in bounds]
                yield _told(service, stage, known, [*bars, _unlinked(origin, reached, known)])
                break


def _is_open(rooms: Iterable[Room], reached: Collection[str], closed: Sequence[ReplicaBound]) -> bool:
    """Whether one of them lies where requests can go, and no bound closes it."""
    return any(room.pool.site in reached and not (closed and _closes(closed, room.pool)) for room in rooms)


def _closes(bounds: Iterable[ReplicaBound], pool: Pool) -> bool:
    """Whether no instance may be there."""
    return any(bound.site in ("", pool.site) for bound in bounds)


def _told(service: Service, stage: Stage, known: tuple[Pool, ...], bars: list[Bar]) -> Finding:
    """The clause that bars all pools, or all those that bar some."""
    may, of = f"stage `{stage.name}` of `{service.name}` may run nowhere", f"with a profile of `{stage.model}`"
    alone = next((bar for bar in bars if bar.pools == known), None)
    if alone:
        names = ", ".join(f"`{pool.name}`" for pool in known[:3]) + (", …" if known[3:] else "")
        pools = "the only pool" if len(known) == 1 else "all pools"
        return warning("GW0473", alone.place, f"{may}: {alone.what} bars {pools} {of} ({names})", alone.hint)
    several = ", ".join(f"{bar.what} bars {len(bar.pools)}" for bar in bars if bar.pools)
    message = f"{may}: of the {counted(len(known), 'pool')} {of}, {several}"
    return warning("GW0473", stage.place, message, "loosen one of them, or add a pool that all of them admit")


def _of_service(rooms: Rooms, service: Service, stage: Stage, known: tuple[Pool, ...]) -> Iterator[Bar]:
    """What the service itself asks for, what its instances need, and what pools are kept for."""
    served = [(pool, profile) for pool, profile in rooms.runnable(stage) if rooms.serves(service, profile)]
    serving = {pool.name for pool, _ in served}
    fitting = {pool.name for pool, profile in served if rooms.fitting(pool, profile)}
    if service.accuracy:
        weak = tuple(pool for pool in known if pool.name not in serving)
        yield Bar("the accuracy floor", service.accuracy.place, weak)
    small = tuple(pool for pool in known if pool.name in serving - fitting)
    yield Bar("the size of an instance", stage.place, small, "add a pool that it fits in")
    others = tuple(pool for pool in known if pool.dedicated_to and not pool.dedicated_to.means(service))
    yield Bar("`dedicatedTo`", stage.place, others, "dedicate one to it as well, or add a pool")
    for clause in service.pools:
        if stage.name in (clause.stages or (stage.name,)):
            word = "outside" if clause.is_barred else "among"
            barred = tuple(pool for pool in known if not clause.admits(pool))
            yield Bar(f"`{word}` of its placement", clause.place, barred)


def _of_profiles(
    rooms: Rooms, service: Service, stage: Stage, origin: Origin, known: tuple[Pool, ...]
) -> Iterator[Bar]:
    """What profiles that cover the stage ask of pools."""
    for profile in rooms.covering(service, stage):
        yield from _of_profile(rooms, profile, origin, known)


def _of_profile(rooms: Rooms, profile: ComplianceProfile, origin: Origin, known: tuple[Pool, ...]) -> Iterator[Bar]:
    residency, purchase, locality = profile.residency, profile.purchase, profile.locality
    if residency:
        outside = tuple(pool for pool in known if not rooms.lies_within(pool, residency))
        yield Bar(f"`jurisdiction` of `{profile.name}`", residency.place, outside)
    if purchase:
        otherwise = tuple(pool for pool in known if pool.purchase not in purchase.among)
        yield Bar(f"`purchase` of `{profile.name}`", purchase.place, otherwise)
    if locality:
        away = tuple(pool for pool in known if pool.site != origin.site)
        yield Bar(f"`locality` of `{profile.name}` for requests from {origin.site}", locality.place, away)


def _of_bound(bound: ReplicaBound, known: tuple[Pool, ...]) -> Bar:
    return Bar("`max: 0`", bound.place, tuple(pool for pool in known if bound.site in ("", pool.site)))


def _unlinked(origin: Origin, reached: Collection[str], known: tuple[Pool, ...]) -> Bar:
    beyond = tuple(pool for pool in known if pool.site not in reached)
    return Bar(f"the lack of a Link from {origin.site}", origin.place, beyond, "declare a Link to the site of a pool")


def _ends(policy: Policy) -> Mapping[str, Collection[str]]:
    """By site, where its requests can go: itself, and where a Link leads."""
    ends = {site.name: {site.name} for site in policy.sites}
    for link in policy.links:
        for one, other in ((link.a, link.b), (link.b, link.a)):
            if one in ends:
                ends[one].add(other)
    return ends
