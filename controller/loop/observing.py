"""Asking every collector at once, each within its deadline."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from collectors.collector import Collector
from collectors.snapshot import Snapshot, merge
from controller.loop.catalogue import collector_trouble

Parts = Mapping[str, Snapshot]
"""The last snapshot of each collector, by its name."""

NOTHING: Parts = MappingProxyType({})


async def observe(
    collectors: Sequence[Collector], now: datetime, deadline_s: float, before: Parts = NOTHING
) -> tuple[Snapshot, Parts]:
    """Everything that the collectors see, and the part of each.

    The readings of a collector that was not done in time are those it gave `before`, which keep their instants and so
    grow stale; without any they are missing.
    """
    done = await asyncio.gather(*(_ask(each, now, deadline_s) for each in collectors), return_exceptions=True)
    parts = {}
    for collector, part in zip(collectors, done, strict=True):
        if isinstance(part, BaseException):
            if not isinstance(part, Exception):
                raise part
            parts[collector.name] = _stand_in(collector.name, part, deadline_s, before, now)
        else:
            parts[collector.name] = part
    return merge(now, parts.values()), MappingProxyType(parts)


async def _ask(collector: Collector, now: datetime, deadline_s: float) -> Snapshot:
    async with asyncio.timeout(deadline_s):
        return await collector.collect(now)


def _stand_in(name: str, error: Exception, deadline_s: float, before: Parts, now: datetime) -> Snapshot:
    late = isinstance(error, TimeoutError)
    trouble = f"not done within {deadline_s:g} s" if late else f"failed ({type(error).__name__}: {error})"
    last = before.get(name, Snapshot(now))
    return replace(last, at=now, findings=(collector_trouble(name, trouble),))
