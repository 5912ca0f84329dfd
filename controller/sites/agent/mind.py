"""What an agent knows at work: `step` takes each event, and what comes of it is on the disk before it is acted on."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from controller.actions import Wave
from controller.sites.agent.intent import Site
from controller.sites.agent.keeping import AgentError, keep_state
from controller.sites.agent.machine import step
from controller.sites.agent.state import AgentState, Event, Heard

LOG: Final = logging.getLogger("gridwright.agent")
KEEP_S: Final = 60.0
"""How often time alone is a reason to keep the state."""


class Mind:
    """The state, and whether it can be kept: `unkept` says why not. The two events are set for whoever waits.

    `clock` tells the instant (UTC).
    """

    def __init__(self, site: Site, folder: Path, state: AgentState, clock: Callable[[], datetime]) -> None:
        self.state = state
        self.unkept = ""
        self.to_look, self.to_tell = asyncio.Event(), asyncio.Event()
        self._site = site
        self._folder = folder
        self._clock = clock
        self._kept = state
        self._taken_s = asyncio.get_running_loop().time()

    def take(self, event: Event) -> Wave | None:
        """What an event comes to. The state is on the disk before anything is done by it.

        Where it cannot be, no plan is taken up that would be forgotten. All else goes on: evidence ends all the same.
        """
        before = self.state
        state, wave = step(self._site, before, event, self._instant(event))
        if not self._keep(state) and state.generation != before.generation:
            return None
        self.state = state
        if self.state.phase is not before.phase:
            LOG.info("site %s is %s", self.state.site, self.state.phase.value)
        if self.state.generation != before.generation:
            LOG.info("plan %d was taken up", self.state.generation)
            self.to_look.set()
        if _news(before) != _news(self.state):
            self.to_tell.set()
        return wave

    def now(self) -> datetime:
        """The machine's clock. Where that was set back, time goes on from the latest instant all the same."""
        passed_s = asyncio.get_running_loop().time() - self._taken_s
        return max(self._clock(), self.state.latest + timedelta(seconds=passed_s))

    def _instant(self, event: Event) -> datetime:
        """When an event comes. Only with a newer plan the clock counts as it is: `step` puts it right by that."""
        instant = self._clock() if isinstance(event, Heard) and event.plan is not None else self.now()
        self._taken_s = asyncio.get_running_loop().time()
        return instant

    def _keep(self, state: AgentState) -> bool:
        """Have what changed on the disk; False when that cannot be written."""
        if not _differs(self._kept, state):
            return True
        try:
            keep_state(self._folder, state)
        except AgentError as error:
            if not self.unkept:
                LOG.warning("%s", error)
            self.unkept = str(error)
            return False
        self._kept, self.unkept = state, ""
        return True


def _differs(kept: AgentState, state: AgentState) -> bool:
    """Whether the state has more to keep than that time went on."""
    if (state.latest - kept.latest).total_seconds() >= KEEP_S:
        return True
    return kept != replace(state, latest=kept.latest, heard_at=kept.heard_at)


def _news(state: AgentState) -> tuple[object, ...]:
    """What the hub is told of at once."""
    return state.phase, state.applied, state.refused
