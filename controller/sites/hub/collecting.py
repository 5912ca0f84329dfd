"""What sites told last, as collectors: a turn takes what is known, and asks nobody."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from collectors.collector import Collector
from collectors.snapshot import CutOff, Reading, Server, ServerState, Snapshot, merge
from controller.sites.hub.catalogue import cut_off, deviates, refused, strange, stuck, unregistered
from controller.sites.hub.heard import Heard
from controller.sites.hub.lifetimes import Lifetime, ending_soon
from controller.sites.hub.plausible import MOST_CHARACTERS, told
from controller.sites.hub.readings import SOURCE, Own, arrived, away_permille, own_routes, readings, strangers
from controller.sites.hub.sites import Sites
from policy.findings import Finding

MOST_NAMED: Final = 20
"""Deviations that one finding names."""


class SiteReadings:
    """Readings of servers and gateways, and which sites are cut off, but for what arrived; and which keys end."""

    name = "sites"

    def __init__(
        self, sites: Sites, certified: Callable[[], Awaitable[frozenset[str]]], own: Sequence[Lifetime] = ()
    ) -> None:
        """`certified` tells which sites have a certificate, `own` when the controller's end."""
        self._sites = sites
        self._certified = certified
        self._own = own

    async def collect(self, now: datetime) -> Snapshot:
        """What each site told last. Of one that is cut off nothing is known, but that it goes on by its last plan."""
        certified = await self._certified()
        ending = Snapshot(now, findings=tuple(ending_soon(self._own, now)))
        return merge(now, [ending, *[await self._read(site, now, certified) for site in self._sites.agents]])

    async def _read(self, site: str, now: datetime, certified: frozenset[str]) -> Snapshot:
        own, plan, heard = self._sites.own(site), await self._sites.plans.newest(site), self._sites.heard(site, now)
        since = self._sites.cut_off_since(site, now)
        if heard is None or since is not None:
            planned = tuple(item.routes for item in plan.routes) if plan else ()
            routes = own_routes(heard, site) if heard and not heard.report.unread else planned
            gone: Reading[ServerState] = Reading(None, None, SOURCE)
            untold = cut_off(site, since or now) if site in certified else unregistered(site)
            return Snapshot(
                now,
                servers=tuple(Server(pool, gone) for pool in sorted(own.pools)),
                findings=(untold,),
                cut_off=(CutOff(site, since or now, away_permille(routes, own.pools)),),
            )
        seen, stands = readings(heard, own, plan, now), self._sites.stuck_since(site)
        told_of = [*_findings(site, heard, own), *([stuck(site, stands)] if stands else [])]
        return merge(now, (seen, Snapshot(now, findings=tuple(told_of), stuck=(site,) if stands else ())))


class SiteArrivals:
    """What arrived at the gateways of sites, beside what another collector tells of all others."""

    def __init__(self, sites: Sites, others: Collector) -> None:
        self.name = others.name
        self._sites = sites
        self._others = others

    async def collect(self, now: datetime) -> Snapshot:
        """The rates that sites told last, whose age tells how much they are worth, and the others'."""
        heard = {site: self._sites.heard(site, now) for site in self._sites.agents}
        offered = tuple(
            item for site, each in heard.items() if each is not None for item in arrived(each, self._sites.own(site))
        )
        return merge(now, (await self._others.collect(now), Snapshot(now, offered=offered)))


def _findings(site: str, heard: Heard, own: Own) -> list[Finding]:
    report, others = heard.report, strangers(heard, own)
    found = [*told(report, site)]
    if report.refused is not None and report.refused.generation > report.generation:
        found.append(refused(site, report.refused.generation, report.refused.reason[:MOST_CHARACTERS]))
    if report.deviations:
        found.append(deviates(site, report.deviations[:MOST_NAMED]))
    return [*found, strange(site, others)] if others else found
