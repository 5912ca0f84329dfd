"""Who leads, by a Lease that all replicas see: decided without I/O, and without comparing clocks of two machines.

A replica takes a lease that did not change for as long as it was given, counted from when this replica first saw it so,
by this replica's own clock. The holder leads for a shorter time from when it began to renew. So two lead at once only
if one clock runs `duration_s / lead_s` times as fast as another, whatever either says.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LEASE: Final = "gridwright"


@dataclass(frozen=True, slots=True)
class Timing:
    """A lease may be taken `duration_s` after its last renewal; its holder leads `lead_s`; all look each `look_s`.

    A standby sees a renewal `look_s` late at most, and looks at the instant at which it may take the lease: so it takes
    over `duration_s + look_s` after the last renewal at the latest, and what its calls take. One is given up after
    `call_s`.
    """

    duration_s: int = 10
    lead_s: float = 7.0
    look_s: float = 1.0
    call_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Record:
    """The lease as the API server has it. `transitions` counts its holders; `holder` is empty once it was given up.

    `version` is its resourceVersion, which each renewal changes.
    """

    holder: str
    transitions: int
    duration_s: int
    version: str

    @property
    def term(self) -> str:
        """No other holder ever has the same."""
        return f"{self.transitions}.{self.holder}"


@dataclass(frozen=True, slots=True)
class Seen:
    """A record, or that there is none, and since when it is so, by this replica's clock."""

    record: Record | None
    since_s: float


class Step(StrEnum):
    """What a replica does next about the lease."""

    CREATE = "create"
    TAKE = "take"
    RENEW = "renew"
    WAIT = "wait"


def look(before: Seen | None, record: Record | None, now_s: float) -> Seen:
    """What is known after looking: a record that is as it was has been so since before."""
    return before if before is not None and before.record == record else Seen(record, now_s)


def step(me: str, seen: Seen, now_s: float) -> Step:
    """What to do. `me` is a name that no other process ever has, nor this one once it has started anew."""
    if seen.record is None:
        return Step.CREATE
    if seen.record.holder == me:
        return Step.RENEW
    if not seen.record.holder or now_s - seen.since_s >= seen.record.duration_s:
        return Step.TAKE
    return Step.WAIT


def next_look_s(me: str, seen: Seen | None, now_s: float, timing: Timing) -> float:
    """How long until this replica looks again: no longer than until it may take what another one holds."""
    if seen is None or seen.record is None or seen.record.holder == me:
        return timing.look_s
    return min(timing.look_s, max(0.0, seen.since_s + seen.record.duration_s - now_s))


def following(record: Record | None, me: str, timing: Timing) -> Record:
    """The record that this replica writes over another one, by its version."""
    if record is None:
        return Record(me, 1, timing.duration_s, "")
    transitions = record.transitions + (record.holder != me)
    return Record(me, transitions, timing.duration_s, record.version)
