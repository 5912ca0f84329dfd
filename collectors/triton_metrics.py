"""What each variant does on each Triton, from the counters at its metrics port."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx

from collectors.catalogue import server_subject, source_trouble
from collectors.exposition import samples
from collectors.fetch import Limits, SourceError, fetch
from collectors.rates import CounterWindow
from collectors.rotation import AT_ONCE, Asked, Rotation
from collectors.snapshot import Snapshot, Work, merge
from collectors.triton_counters import Counted, Scrape, Series, scrape, works

PREFIX: Final = "nv_inference_"
SIGN: Final = "nv_"  # a server without models has none of the families, but others


@dataclass(frozen=True, slots=True)
class MetricsTarget:
    """Where the server of a node, or of a whole pool, exposes its metrics, such as `http://127.0.0.1:8002/metrics`."""

    pool: str
    url: str
    node: str = ""
    process: str = ""

    @property
    def asked(self) -> Asked:
        """Which server it is, as one process."""
        return Asked(self.pool, self.node, self.process)


def parse(body: bytes, source: str) -> Scrape:
    """Read an exposition.

    Raises:
        SourceError: GARBLED or LARGE.
    """
    return scrape(samples(body, source, PREFIX, SIGN))


class TritonMetrics:
    """Scrapes every server. What one does whose turn it is not is told when it is.

    While a server is away, or a model's families cannot be used, the last reading stands with its old instant and so
    becomes stale. A model that the server no longer names has no reading.
    """

    name = "triton_metrics"

    def __init__(
        self,
        client: httpx.AsyncClient,
        targets: Iterable[MetricsTarget],
        window: timedelta = timedelta(seconds=10),
        limits: Limits | None = None,
        rotation: Rotation | None = None,
    ) -> None:
        """`targets` are looked through each time, so others may be among them by then.

        Without a `rotation` all are due each time.
        """
        self._client = client
        self._limits = limits or Limits()
        self._targets = targets
        self._window = self._width = window
        self._rotation = rotation
        self._free = asyncio.Semaphore(AT_ONCE)
        self._windows: dict[MetricsTarget, CounterWindow[Series]] = {}
        self._last: dict[MetricsTarget, dict[str, Work]] = {}

    async def collect(self, now: datetime) -> Snapshot:
        """The work of every variant that a server names."""
        targets = tuple(self._targets)
        due = self._rotation.due(now) if self._rotation else None
        before = self._windows if self._width == self._wide() else {}
        self._width = self._wide()
        self._windows = {target: before.get(target) or CounterWindow(self._width) for target in targets}
        self._last = {target: self._last.get(target, {}) for target in targets}
        asked = [target for target in targets if due is None or target.asked in due]
        return merge(now, await asyncio.gather(*(self._in_turn(target, now) for target in asked)))

    def _wide(self) -> timedelta:
        """How wide windows are: a server has to be asked twice within one."""
        return max(self._window, 1.5 * self._rotation.every()) if self._rotation else self._window

    async def _in_turn(self, target: MetricsTarget, now: datetime) -> Snapshot:
        async with self._free:
            return await self._read(target, now)

    async def _read(self, target: MetricsTarget, now: datetime) -> Snapshot:
        try:
            found = parse(await fetch(self._client, "GET", target.url, self._limits), target.url)
        except SourceError as error:
            finding = source_trouble(error, self.name, server_subject(target.pool, target.node))
            return Snapshot(now, work=tuple(self._last[target].values()), findings=(finding,))
        window, last = self._windows[target], self._last[target]
        window.add(now, found.totals)
        current, findings = works(
            Counted(target.pool, target.node, target.url), found, increase=window.increase(), at=now, last=last
        )
        self._last[target] = current
        return Snapshot(now, work=tuple(current.values()), findings=tuple(findings))
