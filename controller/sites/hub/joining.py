"""Sites as the controller works with them: who may call in, what was heard, and what their plans are."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controller.acting.waiting import until
from controller.clocks import NeverBack, Steady
from controller.connections.sites import SitesConnection
from controller.journal.errors import JournalError
from controller.sites.hub.answering import answering
from controller.sites.hub.app import Hub, site_calls
from controller.sites.hub.authority import Authority
from controller.sites.hub.collecting import SiteReadings
from controller.sites.hub.desk import Desk
from controller.sites.hub.heard import SiteReports
from controller.sites.hub.lifetimes import Lifetime
from controller.sites.hub.peer import CONNECTIONS_A_SITE, STRANGERS, context_of
from controller.sites.hub.publishing import SitePlans
from controller.sites.hub.registry import SiteRegistry
from controller.sites.hub.sites import Sites
from policy.resolved import Pool

LOG: Final = logging.getLogger("gridwright.sites")


@dataclass(frozen=True, slots=True)
class SiteFleet:
    """The sites with agents: what tells of them, and what their plans are changed by."""

    desk: Desk
    readings: SiteReadings

    @property
    def sites(self) -> Sites:
        """Which ones, and what is known of them."""
        return self.desk.sites


@asynccontextmanager
async def sites_in(
    connection: SitesConnection,
    registry: SiteRegistry,
    pools: Callable[[], Sequence[Pool]],
    changed: Callable[[], None],
    clock: Callable[[], datetime],
) -> AsyncIterator[SiteFleet]:
    """Answer sites while the block runs, which begins once all with a certificate have called in, or are cut off.

    `pools` are those of the policy in force; `changed` is called where a site has other loads than before. Raises
    KeysError, ConnectionsError and JournalError.
    """
    authority = Authority.read(connection.authority, connection.authority_key, connection.plan_key)
    context = context_of(connection.certificate, connection.key, connection.authority)
    own = Lifetime.of(connection.certificate), Lifetime.of(connection.authority)
    shown, clock, steady = clock, NeverBack(clock), Steady(clock)
    plans, reports = SitePlans(registry, authority.plan_key, clock), SiteReports(changed)
    silent_after = timedelta(seconds=connection.silent_after_s)
    sites = Sites(connection.agents, pools, plans, reports, steady, steady(), silent_after)
    hub = Hub(connection.agents, authority, registry, plans, reports, clock, steady, shown)
    most = (CONNECTIONS_A_SITE + 1) * len(connection.agents) + STRANGERS + 1  # those too many are there, and closed
    async with answering(site_calls(hub), connection.address, context, most):
        try:
            certified = frozenset(item.site for item in await asyncio.to_thread(registry.certified))
            await _called(sites, certified, clock)
            yield SiteFleet(Desk(sites, clock), SiteReadings(sites, Certified(registry), own))
        finally:
            plans.end()


async def _called(sites: Sites, certified: frozenset[str], clock: Callable[[], datetime]) -> None:
    """Wait until each of these sites has called, or is cut off: a plan made before would do without it."""
    waited = [site for site in sites.agents if site in certified]

    async def have_called() -> bool:
        return not any(sites.reports.of(site) is None and sites.cut_off_since(site, clock()) is None for site in waited)

    await until(have_called)


@dataclass(slots=True)
class Certified:
    """Which sites have a certificate; what was known last while that cannot be read."""

    registry: SiteRegistry
    known: frozenset[str] = frozenset()

    async def __call__(self) -> frozenset[str]:
        """Their names."""
        try:
            self.known = frozenset(item.site for item in await asyncio.to_thread(self.registry.certified))
        except JournalError as error:
            LOG.warning("which sites have certificates cannot be read: %s", error)
        return self.known
