"""Emptying the inboxes all the time: what they hold is what came in a moment, not in an interval of the loop."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

EVERY: Final = timedelta(seconds=0.1)


class SpanReader(Protocol):
    """A collector that can take from its inbox between two collections."""

    def read(self, now: datetime) -> None:
        """Take what has come."""


async def keep_reading(readers: Sequence[SpanReader], clock: Callable[[], datetime], every: timedelta = EVERY) -> None:
    """Have the readers read, for ever."""
    while True:
        for reader in readers:
            reader.read(clock())
        await asyncio.sleep(every.total_seconds())
