"""Actions under way, each by itself: one that hangs holds up only what depends on it, as the next look finds."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import replace
from typing import Final

from controller.actions import WITHDRAW, Action, SetLoad, SetRoutes, Unload, Wave, seat_of
from controller.connections.servers import ServerKey
from controller.fleet import Load, Seat
from controller.sites.agent.acting import Hands
from controller.sites.agent.intent import may_be_set
from controller.sites.agent.limits import server_of
from controller.sites.agent.mind import Mind
from controller.sites.agent.state import Answered, Failed
from controller.sites.agent.waves import Standing
from controller.sites.site_plan import SitePlan

LOG: Final = logging.getLogger("gridwright.agent")
AT_ONCE: Final = 4
"""Loads that are under way at a server at the same time."""


class Doing:
    """What is under way. What could not be done is an event for the mind, while the plan in force asks for it."""

    def __init__(self, mind: Mind, hands: Hands, tasks: asyncio.TaskGroup) -> None:
        self._mind = mind
        self._hands = hands
        self._tasks = tasks
        self._under_way: dict[asyncio.Task[None], Action] = {}
        self._free: defaultdict[ServerKey, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))

    @property
    def under_way(self) -> tuple[Action, ...]:
        """What has begun, or waits for its turn at its server, and has not ended."""
        return tuple(self._under_way.values())

    def begin(self, wave: Wave, plan: SitePlan, standing: Standing) -> None:
        """Have a wave done beside the looking, which found that it depends on nothing that is under way.

        Routes take the place of those that are still being set: written later, these would bring back what has left.
        So does what is unloaded the place of its load, which may take a server several calls.
        """
        LOG.info("%s: %s", wave.name, ", ".join(type(action).__name__ for action in wave.actions))
        for action in wave.actions:
            if isinstance(action, SetRoutes):
                self.give_up_routes()
            seat = seat_of(action)
            if isinstance(action, Unload):
                self._give_up(SetLoad, seat)
            if wave.name == WITHDRAW:
                blind = seat is not None and server_of(seat) in standing.silent
                self._start(action, self._withdraw(action, plan, blind=blind))
            elif isinstance(action, SetLoad):
                self._start(action, self._load(action, plan))
            else:
                self._start(action, self._do(action, plan))

    def give_up_routes(self) -> None:
        """Set no routes any more that are still being set, as a newer plan may bar them."""
        self._give_up(SetRoutes, None)

    def _give_up(self, kind: type[SetLoad | SetRoutes], seat: Seat | None) -> None:
        for task, action in self._under_way.items():
            if isinstance(action, kind) and seat_of(action) == seat:
                task.cancel()

    def _start(self, action: Action, work: Coroutine[None, None, None]) -> None:
        task = self._tasks.create_task(work)
        self._under_way[task] = action
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        self._mind.to_look.set()

    async def _withdraw(self, action: Action, plan: SitePlan, *, blind: bool) -> None:
        failed = await self._hands.do(action, plan)
        self._answered(action, failed)
        if blind:
            failed = Failed(failed.trouble if failed else "", seat_of(action), blind=True)
        if failed is not None:
            self._failed(action, replace(failed, urgent=True), plan)

    async def _load(self, action: SetLoad, plan: SitePlan) -> None:
        """Load something in its turn. One whose turn comes when it is no longer meant is left out."""
        async with self._free[server_of(action.load.seat)]:
            if self._is_meant(action.load.seat, plan):
                await self._do(action, plan)

    async def _do(self, action: Action, plan: SitePlan) -> None:
        failed = await self._hands.do(action, plan)
        self._answered(action, failed)
        if failed is not None:
            self._failed(action, failed, plan)

    def _answered(self, action: Action, failed: Failed | None) -> None:
        seat = seat_of(action)
        if failed is None and seat is not None:
            self._mind.take(Answered(seat))

    def _is_meant(self, seat: Seat, plan: SitePlan) -> bool:
        """Whether a load that had to wait for others is still to be set: by this plan, and within its evidence."""
        state = self._mind.state
        if plan.generation != state.generation:
            return False
        return all(may_be_set(item, state.latest) for item in plan.loads if item.load.seat == seat)

    def _failed(self, action: Action, failed: Failed, plan: SitePlan) -> None:
        if failed.trouble:
            LOG.warning("%s", failed.trouble)
        now = self._mind.state.plan
        if now is not None and (now.generation == plan.generation or _asks_for(action, now, plan)):
            self._mind.take(failed)


def _asks_for(action: Action, now: SitePlan, before: SitePlan) -> bool:
    """Whether a plan asks for what was begun for the one before it. Routes that are set for that are given up."""
    match action:
        case SetLoad():
            return _load_at(action.load.seat, now) == _load_at(action.load.seat, before)
        case Unload():
            return _load_at(action.seat, now) is None
        case SetRoutes():
            return False


def _load_at(seat: Seat, plan: SitePlan) -> Load | None:
    return next((item.load for item in plan.loads if item.load.seat == seat), None)
