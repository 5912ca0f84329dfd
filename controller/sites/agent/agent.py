"""The agent at work: it hears its hub, looks at its site, does one wave after the other, and tells what came of it.

All that it decides is `step`; here is when that is asked, and what is done about it.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from collectors.snapshot import Snapshot
from controller.loop.catalogue import is_collector_trouble
from controller.sites.agent.acting import Hands
from controller.sites.agent.doing import Doing
from controller.sites.agent.enrolled import is_due, renewed
from controller.sites.agent.findings import Troubles, findings
from controller.sites.agent.hub_calls import Hub, HubError, HubRefusedError
from controller.sites.agent.identity import Identity
from controller.sites.agent.intent import Intent, Site, intent_of, is_meant
from controller.sites.agent.keeping import AgentError
from controller.sites.agent.looking import Looking, by_agents_time
from controller.sites.agent.mind import Mind
from controller.sites.agent.reporting import STARTS, Telling, fitting, report_of
from controller.sites.agent.sketches import Sketches
from controller.sites.agent.state import AgentState, Heard, Looked, Missed, Told
from controller.sites.report import Allowance, Phase, Refused
from controller.sites.signed import Expected, PlanRefusedError, verified
from controller.sites.site_plan import SitePlan
from policy.findings import Finding

LOG: Final = logging.getLogger("gridwright.agent")
LOOK_S: Final = 1.0
TELL_S: Final = 5.0
"""How often the hub is told how things are; of what changed it is told at once."""
LEAST_TELL_S: Final = 1.0
AGAIN_S: Final = (0.5, 5.0)
"""How long after a failed call the next one is tried: a random time between these."""
RENEW_S: Final = 30.0
"""How often it is seen whether the certificate is to be renewed."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What an agent works with.

    `reach_hub` makes the calls by an identity, `looking_by` what looks, by what tells the plan in force. `clock` tells
    the instant (UTC).
    """

    site: Site
    folder: Path
    reach_hub: Callable[[Identity], Hub]
    looking_by: Callable[[Callable[[], SitePlan | None]], Looking]
    hands: Hands
    sketches: Sketches
    clock: Callable[[], datetime]


class Agent:
    """One site's agent."""

    def __init__(self, parts: Parts, state: AgentState, identity: Identity) -> None:
        self._parts = parts
        self._identity = identity
        self._hub = parts.reach_hub(identity)
        self._mind = Mind(parts.site, parts.folder, state, parts.clock)
        self._looking = parts.looking_by(lambda: self.state.plan)
        self._seen: tuple[Looked, Snapshot] | None = None
        self._number = _first_number(parts.clock() - state.latest)
        self._tasks = asyncio.TaskGroup()
        self._doing = Doing(self._mind, parts.hands, self._tasks)
        self._plan_refused = self._unrenewed = ""
        self._taken_up = 0

    @property
    def state(self) -> AgentState:
        """What it knows now."""
        return self._mind.state

    async def run(self) -> None:
        """Work until cancelled. Raises AgentError when a certificate cannot be kept or used."""
        try:
            async with self._tasks as tasks:
                for work in (self._hear(), self._watch(), self._tell(), self._renew()):
                    tasks.create_task(work)
        except* AgentError as group:
            raise group.exceptions[0] from None
        finally:
            await self._hub.close()

    async def _hear(self) -> None:
        """Ask for the next plan, again and again: the hub answers once there is one."""
        while True:
            try:
                token = await self._hub.plan(self.state.generation)
            except HubError as error:
                LOG.debug("%s", error)
                self._mind.take(Missed())
                await asyncio.sleep(random.uniform(*AGAIN_S))  # noqa: S311 -- spreads calls, hides nothing
                continue
            before = self.state.generation
            self._mind.take(Heard() if token is None else self._heard(token))
            if self.state.generation != before:
                self._doing.give_up_routes()
            if self._plan_refused or self._mind.unkept:
                await asyncio.sleep(AGAIN_S[1])  # the hub would give out the same again at once

    def _heard(self, token: str) -> Heard:
        expected = Expected(self.state.site, self.state.generation, self._parts.clock())
        try:
            plan = verified(token, self._identity.plan_keys, expected)
        except PlanRefusedError as error:
            LOG.warning("%s", error)
            self._plan_refused = str(error)
            return Heard(refused=Refused(self.state.generation + 1, str(error)))
        self._plan_refused = ""
        return Heard(plan)

    async def _watch(self) -> None:
        """Look at the site all the time, and have done what follows; anew at once where something ended meanwhile."""
        while True:
            self._mind.to_look.clear()
            under_way, generation = self._doing.under_way, self.state.generation
            pools = self._remote_pools()
            looked, snapshot = await self._look(pools)
            looked = replace(looked, standing=replace(looked.standing, under_way=under_way))
            self._seen = looked, snapshot
            wave = self._mind.take(looked)
            self._take_up(generation)
            if wave is not None and self.state.plan is not None:
                self._doing.begin(wave, self.state.plan, looked.standing)
            await _either(self._mind.to_look, LOOK_S)

    async def _look(self, pools: frozenset[str]) -> tuple[Looked, Snapshot]:
        """The site, with what was read of it as of no later than the look began, whatever the clock is set to."""
        loop = asyncio.get_running_loop()
        began, began_s, clock = self._mind.now(), loop.time(), self._parts.clock()
        looked, snapshot = await self._looking.look(pools, clock)
        began = min(began, self._mind.now() - timedelta(seconds=loop.time() - began_s))
        return replace(looked, standing=by_agents_time(looked.standing, clock, began)), snapshot

    def _take_up(self, generation: int) -> None:
        """Count a plan as taken up once the site was looked at by it, and nothing that it does not want was under way.

        Not where what was seen is of a look before.
        """
        intent = self._intent()
        if intent is None or self._seen is None or generation != self.state.generation:
            return
        looked, snapshot = self._seen
        if any(map(is_collector_trouble, snapshot.findings)):
            return
        if all(is_meant(action, intent) for action in looked.standing.under_way):
            self._taken_up = generation

    def _remote_pools(self) -> frozenset[str]:
        """The pools of other sites whose answers matter now."""
        known = frozenset(item.pool for item in self.state.remotes)
        if self.state.phase is not Phase.CUT_OFF or self.state.plan is None:
            return known
        ways = (way for item in self.state.plan.routes for way in item.routes.ways)
        there = frozenset(placement.pool for way in ways for placement in way.placements)
        return known | (there - self._parts.site.pools)

    async def _tell(self) -> None:
        """Tell the hub how things are, within what a site may send."""
        clock = asyncio.get_running_loop()
        allowance = Allowance(clock.time())
        while True:
            phase = self.state.phase
            data = self._report(allowance.left(clock.time()))
            if data is not None:
                allowance.spend(len(data), clock.time())
                try:
                    await self._hub.report(data)
                except HubRefusedError as error:
                    LOG.warning("%s", error)
                except HubError as error:
                    LOG.debug("%s", error)
                    self._mind.take(Missed())
                else:
                    self._mind.take(Told(phase))
            await asyncio.sleep(LEAST_TELL_S)
            await _either(self._mind.to_tell, TELL_S - LEAST_TELL_S)
            self._mind.to_tell.clear()

    def _report(self, most_bytes: int) -> bytes | None:
        if self._seen is None:
            return None
        now, (looked, snapshot) = self._parts.clock(), self._seen
        self._number += 1
        telling = Telling(
            self.state,
            self._number,
            now,
            snapshot,
            looked.standing.routes,
            self._intent(),
            self._taken_up,
            self._parts.sketches.take(now),
            self.findings(),
        )
        return fitting(report_of(telling), most_bytes)

    def _intent(self) -> Intent | None:
        if self.state.plan is None or self._seen is None:
            return None
        return intent_of(self._parts.site, self.state, self.state.plan, self._seen[0].standing, self.state.latest)

    async def _renew(self) -> None:
        """See to the certificate, in time."""
        while True:
            if is_due(self._identity, self._parts.clock()):
                try:
                    self._identity = await renewed(self._parts.folder, self.state.site, self._hub)
                    before, self._hub = self._hub, self._parts.reach_hub(self._identity)
                    self._unrenewed = ""
                    await before.close()
                except (HubError, AgentError) as error:
                    LOG.warning("%s", error)
                    self._unrenewed = str(error)
            await asyncio.sleep(RENEW_S)

    def findings(self) -> tuple[Finding, ...]:
        """What there is to tell people about the site."""
        troubles = Troubles(self._plan_refused, self._mind.unkept, self._unrenewed, self._identity.ends)
        return findings(self.state, self._intent(), troubles)


def _first_number(since: timedelta) -> int:
    """Where reports are counted from, after so long: above those of a start that could not be kept."""
    return min(max(0, int(since.total_seconds() / LEAST_TELL_S)), STARTS // 2)


async def _either(event: asyncio.Event, most_s: float) -> None:
    """Wait for an event, and no longer than that."""
    try:
        async with asyncio.timeout(most_s):
            await event.wait()
    except TimeoutError:
        return
