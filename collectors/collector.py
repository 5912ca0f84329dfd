"""The collector protocol: one source of readings."""

from datetime import datetime
from typing import Protocol

from collectors.snapshot import Snapshot


class Collector(Protocol):
    """Reads one source.

    `collect` never raises for a source that is away or talks nonsense: it gives readings that are missing or old, with
    a finding. It is bounded in time and in what it takes from the source.
    """

    name: str

    async def collect(self, now: datetime) -> Snapshot:
        """A snapshot that holds only this source's readings, as of `now`."""
