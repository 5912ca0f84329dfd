"""The sites with agents: which pools they have, what they are to do, and what was heard of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controller.clocks import Clock
from controller.sites.hub.heard import Heard, SiteReports
from controller.sites.hub.publishing import SitePlans
from controller.sites.hub.readings import Own
from controller.sites.hub.undone import Undone
from policy.resolved import Pool


@dataclass(frozen=True, slots=True)
class Sites:
    """The sites with agents, of whom each has the pools that the policy in force gives it.

    What was not heard of since the controller began, at `since`, is cut off once it is silent from then on for so long.
    Both, and when reports came, are by `steady`, which no clock that is set moves.
    """

    agents: Sequence[str]
    pools: Callable[[], Sequence[Pool]]
    plans: SitePlans
    reports: SiteReports
    steady: Clock
    since: datetime
    silent_after: timedelta
    undone: Undone = field(default_factory=Undone)

    def own(self, site: str) -> Own:
        """What a site has."""
        return Own(site, frozenset(pool.name for pool in self.pools() if pool.site == site))

    def site_of(self, pool: str) -> str:
        """The site with an agent that has a pool; empty where none has."""
        site = next((each.site for each in self.pools() if each.name == pool), "")
        return site if site in self.agents else ""

    def pool_names(self) -> tuple[str, ...]:
        """The pools of all sites with agents."""
        return tuple(pool.name for pool in self.pools() if pool.site in self.agents)

    def cut_off_since(self, site: str, now: datetime) -> datetime | None:
        """Since when nothing is heard of a site that is cut off, for a clock that shows `now`; None where it is not."""
        heard = self.reports.of(site)
        silence = self.steady() - (heard.at if heard else self.since)
        return now - silence if silence > self.silent_after else None

    def heard(self, site: str, now: datetime) -> Heard | None:
        """What was heard of a site last, and when, for a clock that shows `now`."""
        heard = self.reports.of(site)
        return replace(heard, at=now - (self.steady() - heard.at)) if heard else None

    def stuck_since(self, site: str) -> datetime | None:
        """Since when a site calls and brings nothing about; None where it does, or tells why it cannot."""
        heard = self.reports.of(site)
        return self.undone.since(site, heard.report) if heard else None
