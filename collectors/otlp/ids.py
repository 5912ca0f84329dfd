"""Span ids that were seen, so that a post that is sent twice counts once."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

CAPACITY: Final = 100_000


class SeenIds:
    """Ids of the last `kept_for`, at most `capacity` of them: the oldest go first."""

    def __init__(self, kept_for: timedelta, capacity: int = CAPACITY) -> None:
        self._kept_for = kept_for
        self._capacity = capacity
        self._ids: OrderedDict[bytes, datetime] = OrderedDict()

    def first_time(self, identity: bytes, now: datetime) -> bool:
        """Whether the id is new; it is known from now on."""
        if identity in self._ids:
            return False
        self._ids[identity] = now
        while self._ids and (len(self._ids) > self._capacity or self._oldest() <= now - self._kept_for):
            self._ids.popitem(last=False)
        return True

    def _oldest(self) -> datetime:
        return next(iter(self._ids.values()))
