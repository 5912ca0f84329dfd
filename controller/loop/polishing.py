"""Using the time while the fleet is at rest: a search beside the loop, whose plan the next turn weighs."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Final

from controller.decision import Proof
from controller.loop.turn import Polish, Turned
from rules.kernel.plan import Plan

LOG: Final = logging.getLogger("gridwright.polishing")
REST: Final = timedelta(seconds=60)
"""A fleet that has been at rest for so long is searched for a better plan."""
MOST_REST: Final = timedelta(hours=1)
"""A search that found nothing doubles the rest before the next, up to this."""


class _End(threading.Event):
    """Tells a search to end. Whoever asks waits while it is held, so that a search goes no further meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._may_go_on = threading.Event()
        self._may_go_on.set()

    def is_set(self) -> bool:
        """Whether to end, once that is not held."""
        self._may_go_on.wait()
        return super().is_set()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold up whoever asks while the block runs."""
        self._may_go_on.clear()
        try:
            yield
        finally:
            self._may_go_on.set()


class Polishing:
    """At most one search at a time, in a thread; it ends early as soon as the fleet is changed."""

    def __init__(self, polish: Polish) -> None:
        self._polish = polish
        self._task: asyncio.Task[Plan | None] | None = None
        self._stop = _End()
        self._rest = REST
        self._searched: datetime | None = None

    def look(self, turned: Turned, now: datetime) -> None:
        """Begin a search when the fleet has been at rest long enough and may not have the best plan; end one else."""
        policy, state, decision = turned.memory.in_force.policy, turned.memory.state, turned.decision
        if policy is None or decision is None or state.rest_since is None:
            self._stop.set()
            self._rest, self._searched = REST, None
            return
        self._searched = min(self._searched, now) if self._searched else None  # the clock may have been set back since
        rested = now - max(state.rest_since, self._searched or state.rest_since)
        if self._task is None and decision.proof is not Proof.OPTIMAL and rested >= self._rest:
            self._stop = _End()
            self._task = asyncio.create_task(
                asyncio.to_thread(self._polish, policy, turned.snapshot, state, now, self._stop)
            )

    def proposal(self, now: datetime) -> Plan | None:
        """What a search that has ended found; each plan is told once."""
        if self._task is None or not self._task.done():
            return None
        task, self._task = self._task, None
        if self._stop.is_set():
            return None
        self._searched = now
        self._rest = min(2 * self._rest, MOST_REST)
        if (error := task.exception()) is not None:
            LOG.error("the search for a better plan failed; the loop goes on without it", exc_info=error)
            return None
        return task.result()

    def held(self) -> AbstractContextManager[None]:
        """While the block runs, a search that asks whether to end waits: a turn has the processors for itself."""
        return self._stop.held()

    async def close(self) -> None:
        """End the search that runs, if any."""
        self._stop.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
