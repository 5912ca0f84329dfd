"""What the parts of sites share, and changing a site's plan until the site has brought that about."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from controller.acting.actuator import ActuatorError, HangError
from controller.acting.waiting import until
from controller.fleet import Load, RouteSet, Seat
from controller.journal.errors import JournalError
from controller.sites.hub.heard import Heard
from controller.sites.hub.publishing import Change
from controller.sites.hub.readings import own_routes
from controller.sites.hub.sites import Sites
from controller.sites.hub.terms import Terms
from controller.sites.report import Cause
from controller.sites.signed import PlanRefusedError
from controller.sites.site_plan import SitePlan
from rules.kernel.problem import Placement

Shown = Callable[[Heard], bool]
"""Whether what a site told shows that something is as it was asked for."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a site: a change of its plan, of one seat or, where that is None, of routes.

    `back` is the change back, where it is not to stay asked for whatever comes of it.
    """

    change: Change
    back: Change | None
    is_shown: Shown
    seat: Seat | None = None


DONE_S: Final = 75.0
"""How long an action waits for a site to bring its plan about: loading takes a site as long as anybody else."""


class _LateError(ActuatorError):
    """A site has not told in time what became of a generation."""


@dataclass(slots=True)
class Desk:
    """The sites, the clock, the terms of the last decision, and the routes that were asked for but not told.

    These are of sites that were cut off when they were to be set. They are taken for set: the site goes on by what it
    has, and the plan is made without it.
    """

    sites: Sites
    clock: Callable[[], datetime]
    terms: Terms | None = None
    untold: dict[tuple[str, str], RouteSet] = field(default_factory=dict)

    def is_cut_off(self, site: str) -> bool:
        """Whether nothing is heard of a site."""
        return self.sites.cut_off_since(site, self.clock()) is not None

    def is_stuck(self, site: str) -> bool:
        """Whether a site has not brought about what it was told."""
        return self.sites.stuck_since(site) is not None

    def of_itself(self, site: str) -> SitePlan:
        """What a site reports that it has, as a plan: where no other is known, it is changed and not replaced."""
        heard, now, terms = self.sites.reports.of(site), self.clock(), self.terms
        if heard is None or terms is None:
            return SitePlan(site, 0, now, now)
        loads = (
            Load(Placement(m.model, m.variant, server.pool), m.instances, m.max_batch, m.queue_delay_us, server.node)
            for server in heard.report.seen.servers
            if server.reading.value is not None and self.sites.site_of(server.pool) == site
            for m in server.reading.value.models
            if m.instances
        )
        routes = (terms.route(item) for item in own_routes(heard, site) if terms.knows(item))
        plan = SitePlan(site, heard.report.generation, now, now)
        return replace(plan, loads=tuple(map(terms.load, sorted(loads))), routes=tuple(routes))

    async def bring_about(self, site: str, ask: Ask) -> None:
        """Change the plan of a site, and wait until that is brought about, or this part of it; else change it back.

        What is shown by what the site told last is done, though something else of its plan is not: changed back, it
        would load what may no longer stand. What is given up before, as such a load is where servers hang, stays asked
        for: who gives up something else takes it back.
        A site that has withdrawn something gets its plan anew even if it says so already: where that was by a clock
        that ran ahead, only a newer plan puts it right.
        Raises ActuatorError.
        """
        self.require(site)
        self.sites.undone.forget(site)  # it has answered since
        try:
            generation = await self.sites.plans.publish(
                site, ask.change, self.of_itself(site), anew=self._has_withdrawn(site)
            )
        except (JournalError, PlanRefusedError) as error:
            raise ActuatorError(f"site {site}: {error}") from error
        given = self.clock()
        try:
            await self._done(site, generation, ask)
        except ActuatorError as error:
            heard = self.sites.reports.of(site)
            if heard is not None and not self.is_cut_off(site) and ask.is_shown(heard):
                return
            if isinstance(error, _LateError):
                self.sites.undone.note(site, generation, given)
            await self.take_back(site, ask)
            raise

    async def take_back(self, site: str, ask: Ask) -> None:
        """Ask for something no more, as far as that can be kept: what was not brought about must not come later."""
        if ask.back is None:
            return
        with suppress(JournalError, PlanRefusedError):
            await self.sites.plans.publish(site, ask.back, self.of_itself(site))

    def _has_withdrawn(self, site: str) -> bool:
        heard = self.sites.reports.of(site)
        return heard is not None and any(each.cause is Cause.ENDED for each in heard.report.deviations)

    def require(self, site: str) -> None:
        """Raises ActuatorError while a site is cut off, or stuck."""
        if self.is_cut_off(site):
            raise ActuatorError(f"site {site} is cut off: see whether its agent runs and reaches this controller")
        if self.is_stuck(site):
            raise ActuatorError(f"site {site} brings nothing about: see its agent's log")

    async def _done(self, site: str, generation: int, ask: Ask) -> None:
        try:
            async with asyncio.timeout(DONE_S):
                await until(lambda: self._is_done(site, generation, ask))
        except TimeoutError as error:
            raise _LateError(
                f"site {site} has not brought generation {generation} about within {DONE_S:g} s: see its agent's log"
            ) from error

    async def _is_done(self, site: str, generation: int, ask: Ask) -> bool:
        self.require(site)
        heard = self.sites.reports.of(site)
        if heard is None:
            return False
        if heard.report.taken_up >= generation and ask.is_shown(heard):
            return True
        refused = heard.report.refused
        if (
            refused is not None
            and refused.generation >= generation > heard.report.generation
            and refused.is_of(ask.seat)
        ):
            told = f"site {site} did not bring its plan about: {refused.reason}"
            if refused.hung is not None and self.sites.site_of(refused.hung[0].pool) == site:
                raise HangError(told, refused.hung)
            raise ActuatorError(told)
        return heard.report.generation >= generation

    async def routes(self, site: str) -> tuple[RouteSet, ...]:
        """What a site's gateways follow, as far as it matters: where a fallback serves, the plan's routes.

        Of one that is unread, what it was given.
        """
        heard, plan = self.sites.reports.of(site), await self.sites.plans.newest(site)
        planned = {(item.routes.service, site): item.routes for item in plan.routes} if plan else {}
        if heard is None or heard.report.unread or self.is_cut_off(site):
            return tuple(({**planned, **self._untold(site)}).values())
        for key in self._untold(site):
            del self.untold[key]
        alone = {(each.service, each.origin) for each in heard.report.deviations if each.cause is Cause.FALLBACK}
        followed = {(item.service, item.origin): item for item in own_routes(heard, site)}
        return tuple({**followed, **{key: item for key, item in planned.items() if key in alone}}.values())

    def is_unread(self, site: str) -> bool:
        """Whether a site that is heard does not know what its gateways follow."""
        heard = self.sites.reports.of(site)
        return heard is not None and heard.report.unread and not self.is_cut_off(site)

    def _untold(self, site: str) -> dict[tuple[str, str], RouteSet]:
        return {key: item for key, item in self.untold.items() if key[1] == site}
