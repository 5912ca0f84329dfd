"""How long executions of each batch size take on each Triton, from its statistics endpoint.

The counters of the metrics port add the time of an execution once for each of its requests; only here are executions
told apart by their size.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

import httpx
import msgspec

from collectors.catalogue import source_trouble
from collectors.fetch import Limits, SourceError, fetch
from collectors.rates import deltas
from collectors.rotation import AT_ONCE, Rotation
from collectors.snapshot import Batches, BatchTime, Reading, Snapshot, merge
from collectors.triton_names import model_and_variant
from collectors.triton_repository import RepositoryTarget, decode

LONGEST: Final = timedelta(seconds=60)
"""After a longer time without an answer, what was gained since says too little about now."""
NS_PER_US: Final = 1000

Natural = Annotated[int, msgspec.Meta(ge=0)]
Batch = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Key = tuple[str, str, int, bool]
"""(model, variant, batch, whether nanoseconds or executions)"""


class Duration(msgspec.Struct, frozen=True):
    """How often, and how long together."""

    count: Natural = 0
    ns: Natural = 0


class BatchStatistics(msgspec.Struct, frozen=True):
    """The executions of one size."""

    batch_size: Batch
    compute_input: Duration = Duration()
    compute_infer: Duration = Duration()
    compute_output: Duration = Duration()


class ModelStatistics(msgspec.Struct, frozen=True):
    """One version of a model; versions of one name are added up."""

    name: str
    batch_stats: tuple[BatchStatistics, ...] = ()


class Statistics(msgspec.Struct, frozen=True):
    """The answer of `/v2/models/stats`."""

    model_stats: tuple[ModelStatistics, ...]


@dataclass(frozen=True, slots=True)
class _Sample:
    at: datetime
    totals: dict[Key, int]


class TritonStatistics:
    """Asks every server, and tells what was gained since it was asked last.

    The reading is short on purpose: a change of the service time shows in the next one, whole. While a server is away
    there is no reading, and a variant that executed nothing has none either.
    """

    name = "triton_statistics"

    def __init__(
        self,
        client: httpx.AsyncClient,
        targets: Iterable[RepositoryTarget],
        limits: Limits | None = None,
        rotation: Rotation | None = None,
    ) -> None:
        """`targets` are looked through each time, so others may be among them by then.

        Without a `rotation` all are due each time.
        """
        self._client = client
        self._targets = targets
        self._limits = limits or Limits()
        self._rotation = rotation
        self._free = asyncio.Semaphore(AT_ONCE)
        self._last: dict[RepositoryTarget, _Sample] = {}

    async def collect(self, now: datetime) -> Snapshot:
        """What every variant's executions took since the last time, of the servers that are due."""
        targets = tuple(self._targets)
        self._last = {target: self._last[target] for target in targets if target in self._last}
        due = self._rotation.due(now) if self._rotation else None
        asked = [target for target in targets if due is None or target.asked in due]
        return merge(now, await asyncio.gather(*(self._in_turn(target, now) for target in asked)))

    async def _in_turn(self, target: RepositoryTarget, now: datetime) -> Snapshot:
        async with self._free:
            return await self._read(target, now)

    async def _read(self, target: RepositoryTarget, now: datetime) -> Snapshot:
        longest = max(LONGEST, 2 * self._rotation.every()) if self._rotation else LONGEST
        try:
            body = await fetch(self._client, "GET", f"{target.url}/v2/models/stats", self._limits)
            totals = _totals(decode(body, Statistics, target.url))
        except SourceError as error:
            return Snapshot(now, findings=(source_trouble(error, self.name, target.subject),))
        before = self._last.get(target)
        self._last[target] = _Sample(now, totals)
        if before is None or not timedelta(0) < now - before.at <= longest:
            return Snapshot(now)
        gained = deltas(before.totals, totals)
        return Snapshot(now, batches=tuple(_readings(target, gained, before.at, now)))


def _totals(statistics: Statistics) -> dict[Key, int]:
    totals: dict[Key, int] = {}
    for model in statistics.model_stats:
        split = model_and_variant(model.name)
        for item in model.batch_stats if split else ():
            took_ns = item.compute_input.ns + item.compute_infer.ns + item.compute_output.ns
            for is_time, gained in ((False, item.compute_infer.count), (True, took_ns)):
                key = (*(split or ("", "")), item.batch_size, is_time)
                totals[key] = totals.get(key, 0) + gained
    return totals


def _readings(target: RepositoryTarget, gained: dict[Key, int], since: datetime, now: datetime) -> list[Batches]:
    found: dict[tuple[str, str], list[BatchTime]] = {}
    for (model, variant, batch, is_time), executions in sorted(gained.items()):
        if not is_time and executions:
            total_us = gained.get((model, variant, batch, True), 0) // NS_PER_US
            found.setdefault((model, variant), []).append(BatchTime(batch, executions, total_us))
    window_s = (now - since).total_seconds()
    return [
        Batches(target.pool, *name, Reading(tuple(times), now, target.url), window_s, target.node)
        for name, times in found.items()
    ]
