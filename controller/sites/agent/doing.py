"""Waves at work: one at a time, but for what is withdrawn, which waits for nothing."""

import asyncio
import logging
from typing import Final

from controller.actions import WITHDRAW, Action, SetLoad, Wave, seat_of
from controller.fleet import Seat
from controller.sites.agent.acting import Hands
from controller.sites.agent.intent import may_be_set
from controller.sites.agent.limits import server_of
from controller.sites.agent.mind import Mind
from controller.sites.agent.state import Failed
from controller.sites.agent.waves import Standing
from controller.sites.site_plan import SitePlan

LOG: Final = logging.getLogger("gridwright.agent")


class Doing:
    """What is under way. What could not be done is an event for the mind, while its plan is in force."""

    def __init__(self, mind: Mind, hands: Hands, tasks: asyncio.TaskGroup) -> None:
        self.is_busy = False
        self._mind = mind
        self._hands = hands
        self._tasks = tasks
        self._withdrawn: set[Seat | None] = set()

    def begin(self, wave: Wave, plan: SitePlan, standing: Standing, *, was_busy: bool) -> None:
        """Have a wave done beside the looking. `was_busy`: another one was under way as what `standing` says was seen.

        What is withdrawn waits neither for another wave, nor for a server or gateway that hangs.
        """
        if wave.name == WITHDRAW:
            for action in wave.actions:
                seat = seat_of(action)
                if seat not in self._withdrawn:
                    self._withdrawn.add(seat)
                    blind = seat is not None and server_of(seat) in standing.silent
                    self._tasks.create_task(self._withdraw(action, seat, plan, blind=blind))
        elif not (self.is_busy or was_busy):
            LOG.info("%s: %s", wave.name, ", ".join(type(action).__name__ for action in wave.actions))
            self.is_busy = True
            self._tasks.create_task(self._carry(wave, plan))

    async def _withdraw(self, action: Action, seat: Seat | None, plan: SitePlan, *, blind: bool) -> None:
        LOG.info("%s: %s", WITHDRAW, type(action).__name__)
        try:
            failures = await self._hands.carry(Wave(WITHDRAW, (action,)), plan)
            if blind:
                failures = (Failed(failures[0].trouble if failures else "", seat, urgent=True, blind=True),)
            self._failed(failures, plan)
        finally:
            self._withdrawn.remove(seat)
            self._mind.to_look.set()

    async def _carry(self, wave: Wave, plan: SitePlan) -> None:
        try:
            self._failed(await self._hands.carry(wave, plan, self._is_meant), plan)
        finally:
            self.is_busy = False
            self._mind.to_look.set()

    def _is_meant(self, action: Action, plan: SitePlan) -> bool:
        """Whether an action that had to wait for others is still to be done: by this plan, and within its evidence."""
        state = self._mind.state
        if plan.generation != state.generation:
            return False
        seat = seat_of(action) if isinstance(action, SetLoad) else None
        return all(may_be_set(item, state.latest) for item in plan.loads if item.load.seat == seat)

    def _failed(self, failures: tuple[Failed, ...], plan: SitePlan) -> None:
        for failed in failures:
            if failed.trouble:
                LOG.warning("%s", failed.trouble)
            if plan.generation == self._mind.state.generation:
                self._mind.take(failed)
