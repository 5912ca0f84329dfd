"""Deciding for sites: what they may do by themselves under a decision, and their whole plans once it is reached."""

from dataclasses import dataclass
from datetime import datetime

from collectors.snapshot import Snapshot
from controller.decision import Decision, State
from controller.fleet import Fleet
from controller.journal.errors import JournalError
from controller.loop.turn import Decide, Upkeep
from controller.sites.hub.catalogue import not_given_out
from controller.sites.hub.desk import Desk
from controller.sites.hub.terms import terms_of
from controller.sites.signed import PlanRefusedError
from policy.findings import Finding
from policy.resolved import Policy


@dataclass(frozen=True, slots=True)
class DecidingForSites:
    """Decides as `decide` does, and leaves the terms of it on the desk."""

    decide: Decide
    desk: Desk

    def __call__(self, policy: Policy, snapshot: Snapshot, state: State, now: datetime) -> Decision:
        """The decision."""
        decision = self.decide(policy, snapshot, state, now)
        self.desk.terms = terms_of(policy, snapshot, decision, now, self.desk.sites.agents)
        return decision


@dataclass(frozen=True, slots=True)
class SiteUpkeep:
    """Gives each site its whole plan once the fleet is as decided: evidence may last longer than before, or less.

    Nobody waits for that: it changes what sites may do, and not what they have. `others` is done first.
    """

    desk: Desk
    others: Upkeep | None = None

    async def prepare(
        self, policy: Policy, snapshot: Snapshot, running: Fleet, decision: Decision
    ) -> tuple[Finding, ...]:
        """What the others need before actions; a site gets ready by itself."""
        return await self.others.prepare(policy, snapshot, running, decision) if self.others else ()

    async def keep(
        self, policy: Policy, planned: Fleet, snapshot: Snapshot, *, is_reached: bool
    ) -> tuple[Finding, ...]:
        """What could not be given out."""
        found = list(await self.others.keep(policy, planned, snapshot, is_reached=is_reached)) if self.others else []
        for site in self.desk.sites.agents if is_reached else ():
            if self.desk.sites.reports.of(site) is not None and not self.desk.is_cut_off(site):
                found += await self._give(site, planned)
        return tuple(found)

    async def _give(self, site: str, planned: Fleet) -> tuple[Finding, ...]:
        terms = self.desk.terms
        if terms is None:
            return ()
        try:
            await self.desk.sites.plans.publish(
                site, lambda before: terms.of(site, planned, before), self.desk.of_itself(site)
            )
        except (JournalError, PlanRefusedError) as error:
            return (not_given_out(site, str(error)),)
        return ()
