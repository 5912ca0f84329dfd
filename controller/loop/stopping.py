"""Being told to end: nothing is begun any more, and what is under way is waited for, but not for good."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

WAITED_S: Final = 60.0
"""How long what is under way is waited for, as long as a server may take for an action.

Half of what the chart grants a pod to end: the other half is for the journal, the API and the lease, each within its
own time. Whoever is killed amid that has noted nothing of what was done last.
"""


class StoppedError(Exception):
    """Who was told to end waits no longer."""


class Stopping:
    """Whether a loop is told to end, and how long it waits since. It is used in one event loop."""

    def __init__(self) -> None:
        self._until: dict[asyncio.Timeout, float] = {}
        self._told_s: float | None = None
        self.is_over = False
        """Whether what was under way is given up, as it took too long."""

    @property
    def is_told(self) -> bool:
        """Whether nothing is to be begun any more."""
        return self._told_s is not None

    def tell(self) -> None:
        """Have all end that is to end at once, and the rest in time."""
        if self._told_s is None:
            self._told_s = asyncio.get_running_loop().time()
            for timeout, waited_s in self._until.items():
                timeout.reschedule(self._told_s + waited_s)

    def at_once(self) -> AbstractAsyncContextManager[None]:
        """A block that changes nothing, and so is left as soon as the loop is told. Raises StoppedError then."""
        return self._left_after(0)

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """A block that waits for what is under way. Raises StoppedError once that took too long since."""
        try:
            async with self._left_after(WAITED_S):
                yield
        except StoppedError:
            self.is_over = True
            raise

    @asynccontextmanager
    async def _left_after(self, waited_s: float) -> AsyncIterator[None]:
        timeout = asyncio.timeout_at(None if self._told_s is None else self._told_s + waited_s)
        try:
            async with timeout:
                self._until[timeout] = waited_s
                try:
                    yield
                finally:
                    del self._until[timeout]
        except TimeoutError as error:
            if timeout.expired():
                raise StoppedError from error
            raise
