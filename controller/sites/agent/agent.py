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
from controller.actions import Action, SetLoad, Wave
from controller.connections.servers import ServerKey
from controller.fleet import Seat
from controller.sites.agent import catalogue
from controller.sites.agent.acting import Hands, seat_of
from controller.sites.agent.enrolled import is_due, renewed
from controller.sites.agent.hub_calls import Hub, HubError, HubRefusedError
from controller.sites.agent.identity import Identity
from controller.sites.agent.intent import Intent, Site, deviations, intent_of, may_be_set
from controller.sites.agent.keeping import AgentError, keep_state
from controller.sites.agent.limits import server_of
from controller.sites.agent.looking import Looking
from controller.sites.agent.machine import step
from controller.sites.agent.reporting import STARTS, Telling, fitting, report_of
from controller.sites.agent.sketches import Sketches
from controller.sites.agent.state import AgentState, Event, Failed, Heard, Looked, Missed, Told
from controller.sites.agent.waves import WITHDRAW
from controller.sites.report import Allowance, Cause, Deviation, Phase, Refused
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
KEEP_S: Final = 60.0
"""How often time alone is a reason to keep the state."""


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
        self.state = state
        self._parts = parts
        self._identity = identity
        self._hub = parts.reach_hub(identity)
        self._looking = parts.looking_by(lambda: self.state.plan)
        self._kept = state
        self._seen: tuple[Looked, Snapshot] | None = None
        self._number = _first_number(parts.clock() - state.latest)
        self._tasks = asyncio.TaskGroup()
        self._is_busy = False
        self._withdrawn: set[Seat | None] = set()
        self._taken_s = asyncio.get_running_loop().time()
        self._to_look, self._to_tell = asyncio.Event(), asyncio.Event()
        self._plan_refused = self._unrenewed = self._unkept = ""

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

    def _take(self, event: Event) -> Wave | None:
        """What an event comes to. The state is on the disk before anything is done by it.

        Where it cannot be, no plan is taken up that would be forgotten. All else goes on: evidence ends all the same.
        """
        before = self.state
        state, wave = step(self._parts.site, before, event, self._instant(event))
        if not self._keep(state) and state.generation != before.generation:
            return None
        self.state = state
        if self.state.phase is not before.phase:
            LOG.info("site %s is %s", self.state.site, self.state.phase.value)
        if self.state.generation != before.generation:
            LOG.info("plan %d was taken up", self.state.generation)
            self._to_look.set()
        if _news(before) != _news(self.state):
            self._to_tell.set()
        return wave

    def _instant(self, event: Event) -> datetime:
        """The machine's clock. Where that was set back, time goes on from the latest instant all the same.

        Only with a newer plan it counts as it is: `step` puts it right by that.
        """
        clock, taken_s = self._parts.clock(), self._taken_s
        self._taken_s = asyncio.get_running_loop().time()
        if isinstance(event, Heard) and event.plan is not None:
            return clock
        return max(clock, self.state.latest + timedelta(seconds=self._taken_s - taken_s))

    def _keep(self, state: AgentState) -> bool:
        """Have what changed on the disk; False when that cannot be written."""
        if not _differs(self._kept, state):
            return True
        try:
            keep_state(self._parts.folder, state)
        except AgentError as error:
            if not self._unkept:
                LOG.warning("%s", error)
            self._unkept = str(error)
            return False
        self._kept, self._unkept = state, ""
        return True

    async def _hear(self) -> None:
        """Ask for the next plan, again and again: the hub answers once there is one."""
        while True:
            try:
                token = await self._hub.plan(self.state.generation)
            except HubError as error:
                LOG.debug("%s", error)
                self._take(Missed())
                await asyncio.sleep(random.uniform(*AGAIN_S))  # noqa: S311 -- spreads calls, hides nothing
                continue
            self._take(Heard() if token is None else self._heard(token))
            if self._plan_refused or self._unkept:
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
        """Look at the site all the time, and have done what follows."""
        while True:
            busy = self._is_busy
            pools = self._remote_pools()
            looked, snapshot = await self._looking.look(pools, self._parts.clock())
            self._seen = looked, snapshot
            wave = self._take(looked)
            if wave is not None and self.state.plan is not None:
                self._begin(wave, self.state.plan, was_busy=busy)
            self._to_look.clear()
            await _either(self._to_look, LOOK_S)

    def _begin(self, wave: Wave, plan: SitePlan, *, was_busy: bool) -> None:
        """Have a wave done beside the looking, one at a time.

        What is withdrawn waits for nothing: neither for another wave, nor for a server or gateway that hangs.
        """
        if wave.name == WITHDRAW:
            for action in wave.actions:
                seat = seat_of(action)
                if seat not in self._withdrawn:
                    self._withdrawn.add(seat)
                    blind = seat is not None and self._is_silent(server_of(seat))
                    self._tasks.create_task(self._withdraw(action, seat, plan, blind=blind))
        elif not (self._is_busy or was_busy):
            LOG.info("%s: %s", wave.name, ", ".join(type(action).__name__ for action in wave.actions))
            self._is_busy = True
            self._tasks.create_task(self._carry(wave, plan))

    def _is_silent(self, server: ServerKey) -> bool:
        return self._seen is not None and server in self._seen[0].standing.silent

    async def _withdraw(self, action: Action, seat: Seat | None, plan: SitePlan, *, blind: bool) -> None:
        LOG.info("%s: %s", WITHDRAW, type(action).__name__)
        try:
            failures = await self._parts.hands.carry(Wave(WITHDRAW, (action,)), plan)
            if blind:
                failures = (Failed(failures[0].trouble if failures else "", seat, urgent=True, blind=True),)
            self._failed(failures, plan)
        finally:
            self._withdrawn.remove(seat)
            self._to_look.set()

    async def _carry(self, wave: Wave, plan: SitePlan) -> None:
        try:
            self._failed(await self._parts.hands.carry(wave, plan, self._is_meant), plan)
        finally:
            self._is_busy = False
            self._to_look.set()

    def _is_meant(self, action: Action, plan: SitePlan) -> bool:
        """Whether an action that had to wait for others is still to be done: by this plan, and within its evidence."""
        if plan.generation != self.state.generation:
            return False
        seat = seat_of(action) if isinstance(action, SetLoad) else None
        return all(may_be_set(item, self.state.latest) for item in plan.loads if item.load.seat == seat)

    def _failed(self, failures: tuple[Failed, ...], plan: SitePlan) -> None:
        for failed in failures:
            if failed.trouble:
                LOG.warning("%s", failed.trouble)
            if plan.generation == self.state.generation:
                self._take(failed)

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
            data = self._report(allowance.left(clock.time()))
            if data is not None:
                allowance.spend(len(data), clock.time())
                try:
                    await self._hub.report(data)
                except HubRefusedError as error:
                    LOG.warning("%s", error)
                except HubError as error:
                    LOG.debug("%s", error)
                    self._take(Missed())
                else:
                    self._take(Told())
            await asyncio.sleep(LEAST_TELL_S)
            await _either(self._to_tell, TELL_S - LEAST_TELL_S)
            self._to_tell.clear()

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
            looked.standing.routes or (),
            self._intent(),
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
            await asyncio.sleep(KEEP_S / 2)

    def findings(self) -> tuple[Finding, ...]:
        """What there is to tell people about the site."""
        state, intent, site = self.state, self._intent(), self.state.site
        found = [_TOLD[item.cause](site, item) for item in self._deviations(intent) if item.cause in _TOLD]
        found += [catalogue.undone(site, failure.trouble) for failure in state.failures if failure.trouble]
        if state.phase is Phase.CUT_OFF and state.cut_off_since is not None:
            found.append(catalogue.cut_off(site, state.cut_off_since))
        if self._plan_refused:
            found.append(catalogue.plan_refused(site, self._plan_refused))
        if self._unkept:
            found.append(catalogue.undone(site, self._unkept))
        if self._unrenewed:
            found.append(catalogue.unrenewed(site, self._unrenewed, self._identity.ends))
        return tuple(found)

    def _deviations(self, intent: Intent | None) -> tuple[Deviation, ...]:
        plan = self.state.plan
        return deviations(plan, self.state, intent, self.state.latest) if plan and intent else ()


_TOLD: Final = {
    Cause.NO_ROOM: catalogue.no_room,
    Cause.ENDED: catalogue.withdrawn,
    Cause.FALLBACK: catalogue.on_fallback,
}


def _first_number(since: timedelta) -> int:
    """Where reports are counted from, after so long: above those of a start that could not be kept."""
    return min(max(0, int(since.total_seconds() / LEAST_TELL_S)), STARTS // 2)


def _differs(kept: AgentState, state: AgentState) -> bool:
    """Whether the state has more to keep than that time went on."""
    if (state.latest - kept.latest).total_seconds() >= KEEP_S:
        return True
    return kept != replace(state, latest=kept.latest, heard_at=kept.heard_at)


def _news(state: AgentState) -> tuple[object, ...]:
    """What the hub is told of at once."""
    return state.phase, state.applied, state.refused


async def _either(event: asyncio.Event, most_s: float) -> None:
    """Wait for an event, and no longer than that."""
    try:
        async with asyncio.timeout(most_s):
            await event.wait()
    except TimeoutError:
        return
