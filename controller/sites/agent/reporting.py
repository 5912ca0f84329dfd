"""What an agent tells its hub, and how much of it: never more than a site may send."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from collectors.snapshot import Reading, Snapshot
from controller.fleet import RouteSet
from controller.sites.agent.intent import Intent, deviations
from controller.sites.agent.state import AgentState
from controller.sites.report import MOST_PACKED_BYTES, Report, ReportError, Sketch, packed
from policy.findings import Finding

STARTS: Final = 2**28
"""Reports of one start, of which there are fewer."""
SPREAD: Final = 1.1
"""Packed, a sketch takes at most so much of its own size: text in base 64 gets no smaller than what it stands for."""
HEAD_BYTES: Final = 120
"""What is said of a sketch beside it, but for the names of its subject."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What a report is made of. `number` counts the reports of this start; `taken_up` is as a report has it.

    `routes` are None where a gateway does not tell.
    """

    state: AgentState
    number: int
    at: datetime
    seen: Snapshot
    routes: tuple[RouteSet, ...] | None
    intent: Intent | None
    taken_up: int
    sketches: tuple[Sketch, ...]
    findings: tuple[Finding, ...]


def report_of(telling: Telling) -> Report:
    """Everything that there is to tell."""
    state, plan, intent = telling.state, telling.state.plan, telling.intent
    return Report(
        site=state.site,
        sequence=state.starts * STARTS + telling.number,
        at=telling.at,
        phase=state.phase,
        generation=state.applied,
        seen=told(telling.seen),
        refused=state.refused,
        cut_off_since=state.cut_off_since,
        routes=telling.routes or (),
        sketches=telling.sketches,
        deviations=deviations(plan, state, intent, telling.at) if plan and intent else (),
        findings=telling.findings,
        taken_up=telling.taken_up,
        unread=telling.routes is None,
    )


def told(seen: Snapshot) -> Snapshot:
    """The readings that a hub goes by: servers, counters, arrivals and bursts. Times are told as sketches."""
    work = tuple(item for item in seen.work if item.counters.value is not None)
    return Snapshot(
        seen.at,
        servers=seen.servers,
        work=tuple(replace(item, times=Reading(None, None, item.times.source)) for item in work),
        offered=seen.offered,
        batches=seen.batches,
        arrivals=seen.arrivals,
    )


def fitting(report: Report, most_bytes: int) -> bytes | None:
    """The report packed into so many bytes: whole, or without what matters less. None when not even that fits.

    Sketches hardly get smaller by packing, so as many are kept, by requests, as have room beside the rest.
    """
    most = min(most_bytes, MOST_PACKED_BYTES)
    without = replace(report, sketches=())
    least = replace(without, seen=Snapshot(report.seen.at, servers=report.seen.servers), findings=())
    for lesser in (without, replace(without, seen=replace(report.seen, batches=())), least):
        rest = _within(lesser, most)
        if rest is not None:
            kept = _busiest(report.sketches, int((most - len(rest)) / SPREAD))
            return _within(replace(lesser, sketches=kept), most) or rest
    return None


def _within(report: Report, most_bytes: int) -> bytes | None:
    try:
        data = packed(report)
    except ReportError:
        return None
    return data if len(data) <= most_bytes else None


def _busiest(sketches: Iterable[Sketch], most_bytes: int) -> tuple[Sketch, ...]:
    """Those of the most requests that have so many bytes together."""
    kept, left = [], most_bytes
    for item in sorted(sketches, key=lambda item: -item.count):
        left -= len(item.body) + HEAD_BYTES + sum(len(name.encode()) for name in item.subject)
        if left < 0:
            break
        kept.append(item)
    return tuple(kept)
