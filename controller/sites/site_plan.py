"""The plan of one site: what its servers load, where requests go that come from it, and what it may do by itself.

A site that is cut off goes by the last plan that it took up. So a plan says by itself until when each part of it is
allowed, how far loads may be scaled on the spot, and which routes need nothing beyond the site.
"""

from dataclasses import dataclass
from datetime import datetime

from controller.fleet import Fleet, Load, RouteSet


@dataclass(frozen=True, slots=True, order=True)
class Envelope:
    """How many instances of a load a site may have by its own choice; both ends are allowed.

    All loads of a node fit it together at their `most`, and no rule is broken by it.
    """

    least: int
    most: int

    def bounded(self, instances: int) -> int:
        """The number inside that is nearest."""
        return max(self.least, min(self.most, instances))


@dataclass(frozen=True, slots=True)
class SiteLoad:
    """A load of a plan, and what the site needs to judge it by itself.

    Each instance takes `memory_mib` and `share_permille` of its node's device, and may be given `capacity_milli_rps`.
    From `until` on the site must not have it: evidence behind one of its uses ends then. None where nothing ends.
    """

    load: Load
    envelope: Envelope
    memory_mib: int
    share_permille: int
    capacity_milli_rps: int
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SiteRoute:
    """Where requests of one demand go. From `until` on the site must not follow it; None where nothing ends."""

    routes: RouteSet
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SiteService:
    """A service as a gateway needs to know it: its stages in order; `wake_up_us` is 0 where it never sleeps."""

    name: str
    stages: tuple[str, ...]
    wake_up_us: int = 0


@dataclass(frozen=True, slots=True)
class SitePlan:
    """What a site has to bring about. A plan of a higher generation stands in for all before it.

    A plan may be taken up until `valid_until`. One that was goes on after it, for a site may be cut off for longer;
    what ends in it is told by `until` alone. `routes` are of the demands that come from the site. A `fallback` is for
    one of them, while another site on its way does not answer: it goes over loads of this site alone. A demand without
    one is refused meanwhile. All loads not named are to be gone, and all demands not named keep no route.
    """

    site: str
    generation: int
    issued_at: datetime
    valid_until: datetime
    loads: tuple[SiteLoad, ...] = ()
    routes: tuple[SiteRoute, ...] = ()
    fallbacks: tuple[SiteRoute, ...] = ()
    services: tuple[SiteService, ...] = ()

    def fleet(self) -> Fleet:
        """Its loads and routes, as if nothing had ended."""
        loads, routes = (item.load for item in self.loads), (item.routes for item in self.routes)
        return Fleet(tuple(sorted(loads)), tuple(sorted(routes)))
