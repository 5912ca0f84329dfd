"""An informer: the objects of a resource, listed once and then followed by a watch.

A watch that ends is taken up where it ended; bookmarks keep that place young while nothing happens. What the API server
no longer knows (410) is listed anew, as is everything once in `RELIST_S`, which heals whatever was missed. Events are
taken one by one as they are read, so that a burst waits in the connection and not in memory.

An API server whose etcd tells it of no progress sends no bookmarks where nothing changes: silence alone is no trouble.
It is taken up again at once, and what is known counts as before unless that fails. That the other side is gone, TCP
itself finds out (`reaching.py`).
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Generic

from controller.cluster.api_server.backoff import pause_s
from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import CallError, GoneError, SilentError
from controller.cluster.api_server.listing import pages
from controller.cluster.api_server.store import MOST_OBJECTS, Kept, Name, Store, Watched, too_many

LOG: Final = logging.getLogger("gridwright.cluster")
WATCH_S: Final = 300.0
"""How long a watch may last at least, and twice that at most; then the API server may give it another place."""
SILENCE_S: Final = 150.0
"""Where bookmarks come, they come every minute: a watch that is silent for so long is taken up again."""
RELIST_S: Final = 3600.0
SHORT_S: Final = 1.0
"""A watch that ends sooner and told nothing is not taken up again at once."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long a watch lasts, when a silent one is given up, and when everything is listed anew, in seconds."""

    watch_s: float = WATCH_S
    silence_s: float = SILENCE_S
    relist_s: float = RELIST_S


class Informer(Generic[Kept]):
    """Follows what is watched while `run` runs. `changed` is called for each change; it has to be quick."""

    def __init__(
        self,
        calls: Calls,
        watched: Watched[Kept],
        clock: Callable[[], datetime],
        changed: Callable[[], None] = lambda: None,
        *,
        times: Times = Times(),
        draw: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._calls = calls
        self._watched = watched
        self._clock = clock
        self._changed = changed
        self._times = times
        self._draw = draw
        self._sleep = sleep
        self._store = Store(watched)
        self._listed = asyncio.Event()
        self._relist_at = 0.0
        self._heard: datetime | None = None
        self._is_open = False
        self.trouble: CallError | None = None

    @property
    def objects(self) -> MappingProxyType[Name, Kept]:
        """What is kept of each object, now and as it changes."""
        return self._store.objects

    def as_of(self) -> datetime | None:
        """The instant that `objects` are true of: now while a watch is open, or is taken up again after silence.

        Else when it ended, or told something last; None before the first listing.
        """
        return self._clock() if self._is_open else self._heard

    async def listed(self) -> None:
        """Return once everything was listed for the first time."""
        await self._listed.wait()

    async def run(self) -> None:
        """Follow until cancelled. `trouble` has why it cannot at the moment; it goes on trying."""
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            asked_s, has_ended = 0.0, False
            began, heard = loop.time(), self._heard
            try:
                await self._follow()
                has_ended = True
            except SilentError:
                continue
            except GoneError:
                self._store.version = ""
            except CallError as error:
                asked_s = error.asked_s
                self._tell(error)
            except Exception as error:
                LOG.exception("an object of %s was not understood; all are listed anew", self._watched.resource.plural)
                self._store.version = ""
                self._tell(CallError(f"{type(error).__name__}: {error}", "a fault of Gridwright, report it"))
            self._is_open = False
            was_idle = self._heard == heard and loop.time() - began < SHORT_S
            if has_ended and not was_idle:
                self._heard = self._clock()
            attempt = attempt + 1 if was_idle or self.trouble else 1
            await self._sleep(pause_s(attempt, self._draw(), asked_s))

    def _tell(self, trouble: CallError) -> None:
        if self.trouble is None:
            LOG.warning("%s cannot be followed: %s", self._watched.resource.plural, trouble)
        self.trouble = trouble

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._store.version or loop.time() >= self._relist_at:
            await self._list()
            self._relist_at = loop.time() + self._times.relist_s
        lasts_s = min(self._times.watch_s * (1 + self._draw()), max(1.0, self._relist_at - loop.time()))
        how: dict[str, str | int] = {
            **self._watched.query(),
            "watch": 1,
            "allowWatchBookmarks": "true",
            "resourceVersion": self._store.version,
            "timeoutSeconds": round(lasts_s),
        }
        path = self._watched.resource.path()
        async with self._calls.lines(path, how, silence_s=self._times.silence_s) as lines:
            self._is_open, self.trouble = True, None
            async for event in lines:
                changed = self._store.take(event)
                self._heard = self._clock()
                if changed:
                    self._changed()

    async def _list(self) -> None:
        changed = self._store.become(*await objects_now(self._calls, self._watched))
        self._heard = self._clock()
        self._listed.set()
        if changed:
            self._changed()


async def objects_now(calls: Calls, watched: Watched[Kept]) -> tuple[dict[Name, Kept], str]:
    """What is kept of each object, page by page, and the version that it is as of. Raises CallError."""
    objects: dict[Name, Kept] = {}
    version = ""
    async for page in pages(calls, watched.resource, watched.query()):
        objects |= watched.kept(page["items"])
        if len(objects) > MOST_OBJECTS:
            raise too_many(watched.resource)
        version = page["metadata"]["resourceVersion"]
    return objects, version


@asynccontextmanager
async def following(*informers: Informer[Any]) -> AsyncGenerator[None]:
    """Run informers while the block runs."""
    tasks = [asyncio.create_task(each.run()) for each in informers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
