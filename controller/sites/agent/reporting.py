"""What an agent tells its hub, and how much of it: never more than a site may send."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from collectors.snapshot import Snapshot
from controller.fleet import RouteSet
from controller.sites.agent.intent import Intent, deviations
from controller.sites.agent.state import AgentState
from controller.sites.report import MOST_PACKED_BYTES, Report, ReportError, Sketch, packed
from policy.findings import Finding

STARTS: Final = 2**32
"""Reports of one start, of which there are fewer."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What a report is made of. `number` counts the reports of this start."""

    state: AgentState
    number: int
    at: datetime
    seen: Snapshot
    routes: tuple[RouteSet, ...]
    intent: Intent | None
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
        routes=telling.routes,
        sketches=telling.sketches,
        deviations=deviations(plan, state, intent, telling.at) if plan and intent else (),
        findings=telling.findings,
    )


def told(seen: Snapshot) -> Snapshot:
    """The readings that a hub goes by: servers, counters and arrivals. Times are told as sketches."""
    return Snapshot(seen.at, servers=seen.servers, work=seen.work, offered=seen.offered, batches=seen.batches)


def fitting(report: Report, most_bytes: int) -> bytes | None:
    """The report packed into so many bytes: whole, or without what matters less. None when not even that fits."""
    for lesser in _lesser(report):
        try:
            data = packed(lesser)
        except ReportError:
            continue
        if len(data) <= min(most_bytes, MOST_PACKED_BYTES):
            return data
    return None


def _lesser(report: Report) -> Iterator[Report]:
    yield report
    for part in (2, 8):
        yield replace(report, sketches=_busiest(report.sketches, len(report.sketches) // part))
    without = replace(report, sketches=())
    yield without
    yield replace(without, seen=replace(report.seen, batches=()), findings=())
    yield replace(without, seen=Snapshot(report.seen.at, servers=report.seen.servers), findings=())


def _busiest(sketches: Iterable[Sketch], many: int) -> tuple[Sketch, ...]:
    return tuple(sorted(sketches, key=lambda item: -item.count)[:many])
