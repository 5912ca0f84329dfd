"""What the loop tells of itself: one frozen picture after each turn, for the API, the command line and the metrics."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import Reading, Snapshot, Value, server_name
from controller.actions import Outcome
from controller.decision import Decision
from controller.loop.policies import InForce
from policy.findings import Finding, Level

LATE_INTERVALS: Final = 3
LONGEST_TURN: Final = timedelta(seconds=180)
"""A turn that loads models may take this long without the loop counting as stuck."""


@dataclass(frozen=True, slots=True)
class Status:
    """The loop as it stood after its last turn.

    `decision` and `outcomes` are the last turn's that decided; `decided` counts from start and `noted` tells whether
    the journal took the last entry. `phases` holds (phase, seconds) of the last turn. `digest` is that of the last
    journal entry for a decision, in hex.
    """

    turns: int = 0
    interval_s: int = 0
    ended: datetime | None = None
    in_force: InForce = field(default_factory=InForce)
    snapshot: Snapshot | None = None
    decision: Decision | None = None
    outcomes: tuple[Outcome, ...] = ()
    findings: tuple[Finding, ...] = ()
    phases: tuple[tuple[str, float], ...] = ()
    noted: bool = True
    failed: bool = False
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the loop does its work; `reasons` also hold what a person should know while it does."""

    ready: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Age:
    """How old a reading is; None when nothing was ever read. `kind` is server, offered, latency or work."""

    kind: str
    subject: str
    age: timedelta | None


def readiness(status: Status, now: datetime) -> Readiness:
    """Not ready before the first decision, without a policy or a journal, after a failed turn, and when stuck."""
    against = []
    if status.ended is None:
        against.append("the first turn is not done yet")
    elif now - status.ended > LONGEST_TURN + LATE_INTERVALS * timedelta(seconds=status.interval_s):
        against.append(f"the last turn ended at {status.ended.isoformat()}: see the log for what it waits on")
    if status.ended is not None and status.in_force.policy is None:
        against.append("there is no good policy yet: `gridwright check` lists what is wrong with its files")
    if not status.noted:
        against.append("the journal cannot be written, so no action is taken: the finding GW3003 tells why")
    if status.failed:
        against.append("the last turn failed: the finding GW3006 tells why")
    notes: tuple[str, ...] = ()
    if status.in_force.policy is not None and status.in_force.refused_since is not None:
        since, revision = status.in_force.refused_since.isoformat(), status.in_force.revision[:12]
        of = f" of commit {status.in_force.commit[:12]}" if status.in_force.commit else ""
        notes = (
            f"the policy files are broken since {since}; revision {revision}{of} stays in force",
            *_why_refused(status.in_force),
        )
    return Readiness(not against, (*against, *notes))


def _why_refused(in_force: InForce) -> tuple[str, ...]:
    """The first error of what was refused; the finding before it only counts them."""
    errors = [finding for finding in in_force.findings[1:] if finding.level is Level.ERROR]
    return tuple(f"refused for {finding}" for finding in errors[:1])


def ages(snapshot: Snapshot, now: datetime) -> tuple[Age, ...]:
    """The age of every reading."""
    by_node = {(item.pool, item.model, item.variant) for item in snapshot.work if item.node}
    counted = (item for item in snapshot.work if item.node or (item.pool, item.model, item.variant) not in by_node)
    return (
        *(Age("server", item.name, _age(item.reading, now)) for item in snapshot.servers),
        *(Age("offered", f"{item.service}@{item.origin}", _age(item.reading, now)) for item in snapshot.offered),
        *(Age("latency", f"{item.service}@{item.origin}", _age(item.reading, now)) for item in snapshot.latency),
        *(
            Age("work", f"{item.model}/{item.variant}@{server_name(item.pool, item.node)}", _age(item.counters, now))
            for item in counted
        ),
    )


def _age(reading: Reading[Value], now: datetime) -> timedelta | None:
    return now - reading.at if reading.at is not None and reading.value is not None else None
