"""The journal as the loop writes it. No entry, no action: every method raises JournalError when it could not write."""

import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Connection

from collectors.recording import decode, encode
from collectors.snapshot import Snapshot
from controller.actions import Outcome
from controller.decision import Decision, State
from controller.journal import guard, holding, store
from controller.journal.leaps import LEAP, Leap, leap_to, noted_at
from controller.journal.opening import Opened
from controller.journal.place import Database, Place
from controller.journal.records import DECIDED, Noted, draft_acted, draft_decided
from controller.journal.store import Draft
from policy.resolved import Policy

PRUNE_STEP: Final = 256
"""Entries are forgotten in steps of this many, so that forgetting is rare and each time short."""
Lead = Callable[[], str]
"""The term in which this replica leads; raises where another may lead by now."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept: at most this many bytes, and this many of the newest entries whatever their size."""

    max_bytes: int = 512 * 1024 * 1024
    keep_entries: int = 1_000


class Journal:
    """The one writer of a journal, from opening to `close`: by the lock next to its file, or the lock of its database.

    `term` names this writer and no other one. Where replicas elect one, it is that of `lead`: who leads need not wait
    for who led before, whose writes are refused from then on.
    """

    def __init__(self, opened: Opened, term: str, retention: Retention, lead: Lead | None) -> None:
        self.place = opened.place
        self.term = term
        self._opened = opened
        self._retention = retention
        self._lead = lead
        self._last: datetime | None = None
        self._closing = ExitStack()

    @classmethod
    def open(cls, place: Place, retention: Retention | None = None, lead: Lead | None = None) -> Self:
        """Take the journal, making it when needed. Raises JournalError, JournalHeldError, and what `lead` raises."""
        with ExitStack() as undo:
            if isinstance(place, Path):
                undo.callback(os.close, guard.hold(place))
            opened = Opened.at(place)
            undo.callback(opened.close)
            journal = cls(opened, lead() if lead else _own_term(), retention or Retention(), lead)
            journal._take()
            journal._closing = undo.pop_all()
            return journal

    def close(self) -> None:
        """Let go of it."""
        self._closing.close()

    def decided(self, policy: Policy, snapshot: Snapshot, state: State, decision: Decision) -> bytes:
        """Note a decision with all that it was made from, before it a leap of the clock; the digest of the entry."""
        with self._writing() as connection:
            leap = leap_to(self._last or _last_at(connection), decision.at)
            if leap is not None:
                store.append(connection, Draft(LEAP, decision.id, encode(leap)))
            digest = store.append(connection, draft_decided(policy, snapshot, state, decision)).digest
        self._last = decision.at
        return digest

    def acted(self, decision: Decision, wave: str, outcomes: tuple[Outcome, ...], state: State) -> bytes:
        """Note what came of a wave, and what is remembered after it; the digest of the entry."""
        with self._writing() as connection:
            return store.append(connection, draft_acted(decision, wave, outcomes, state)).digest

    def forget_oldest(self, kept_since: datetime | None = None) -> None:
        """Remove the oldest entries while it holds more than it may, but no decision that was made since then."""
        while self._forget_some(kept_since):
            pass

    def _forget_some(self, kept_since: datetime | None) -> bool:
        with self._writing() as connection:
            if store.used_bytes(connection) <= self._retention.max_bytes:
                return False
            first, last = store.ends(connection)
            through = min(first + PRUNE_STEP - 1, last - self._retention.keep_entries)
            if kept_since is not None:
                through = _last_before(connection, kept_since, through)
            if through <= first:
                return False  # of one entry that goes the note of it would take the place, without end
            store.forget(connection, through)
            return True

    def _take(self) -> None:
        with self._opened.writing() as connection:
            self._lock(connection)
            holding.take(connection, self.term)
            if self._lead is not None:
                self._lead()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._opened.held(self.term) as connection:
            self._lock(connection)
            yield connection

    def _lock(self, connection: Connection) -> None:
        """Have the lock of a database, anew after the session was lost; that of a file is held all the time."""
        if isinstance(self.place, Database):
            by_force = self._lead is not None and bool(self._lead())
            holding.lock(connection, self.place, by_force=by_force)


def _own_term() -> str:
    return f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}"


def _last_before(connection: Connection, instant: datetime, through: int) -> int:
    """The last entry up to `through` that stands before the first decision since an instant."""
    leaps = [(entry.sequence, decode(entry.body, Leap)) for entry in store.entries(connection, LEAP)]
    for entry in store.entries(connection, DECIDED):
        if entry.sequence > through:
            break
        if noted_at(entry.sequence, decode(entry.body, Noted).at, leaps) >= instant:
            # The leap right before it tells of it, and is not forgotten earlier.
            return entry.sequence - (2 if any(place == entry.sequence - 1 for place, _ in leaps) else 1)
    return through


def _last_at(connection: Connection) -> datetime | None:
    """When the newest decision was noted, by the clock of then."""
    newest = next(store.entries(connection, DECIDED, newest_first=True), None)
    return decode(newest.body, Noted).at if newest else None
