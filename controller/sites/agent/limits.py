"""What a server may be given, whatever a plan says: the site's own limits, which no signature lifts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from controller.connections.servers import ServerKey
from controller.fleet import Load, Seat
from controller.sites.site_plan import SiteLoad
from rules.kernel.problem import Placement

UNLIMITED: Final = 1_000_000
"""Instances of what takes no memory."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Memory of the device in MiB and instances, of all that a server holds together."""

    memory_mib: int
    instances: int


def server_of(seat: Seat) -> ServerKey:
    """The server on which a seat is."""
    placement, node = seat
    return placement.pool, node


class Room:
    """What is left of the servers' limits. What is not known by size, or has no limits, leaves none."""

    def __init__(self, limits: Mapping[ServerKey, ServerLimits], sizes_mib: Mapping[Placement, int]) -> None:
        self._memory_mib = Counter({server: limit.memory_mib for server, limit in limits.items()})
        self._instances = Counter({server: limit.instances for server, limit in limits.items()})
        self._sizes_mib = sizes_mib

    def take(self, seat: Seat, instances: int) -> None:
        """Count instances that are there, whether or not they fit."""
        server, size_mib = server_of(seat), self._sizes_mib.get(seat[0])
        self._instances[server] -= instances
        self._memory_mib[server] -= self._memory_mib[server] if size_mib is None else size_mib * instances

    def fitting(self, seat: Seat, instances: int) -> int:
        """As many of these as still fit."""
        server, size_mib = server_of(seat), self._sizes_mib.get(seat[0])
        if size_mib is None:
            return 0
        by_memory = self._memory_mib[server] // size_mib if size_mib else UNLIMITED
        return max(0, min(instances, by_memory, self._instances[server]))


def held(
    loads: Iterable[SiteLoad], chosen: Mapping[Seat, int], limits: Mapping[ServerKey, ServerLimits]
) -> dict[Seat, Load]:
    """The loads as far as they fit together, with the instances that were chosen, or the plan's.

    What the plan has goes before what was added to it, and each in the plan's order. What fits in no part is left out.
    """
    wanted = {item.load.seat: item.load for item in loads}
    room = Room(limits, {item.load.placement: item.memory_mib for item in loads})
    counts: Counter[Seat] = Counter()
    planned = {seat: min(load.instances, chosen.get(seat, load.instances)) for seat, load in wanted.items()}
    for asked in (planned, {seat: chosen.get(seat, load.instances) for seat, load in wanted.items()}):
        for seat, many in asked.items():
            more = room.fitting(seat, many - counts[seat])
            room.take(seat, more)
            counts[seat] += more
    return {seat: replace(load, instances=counts[seat]) for seat, load in wanted.items() if counts[seat]}
