"""The journal as the loop writes it. No entry, no action: every method raises JournalError when it could not write."""

import os
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from collectors.recording import decode
from collectors.snapshot import Snapshot
from controller.actions import Outcome
from controller.decision import Decision, State
from controller.journal import guard, store
from controller.journal.errors import journal_errors
from controller.journal.records import DECIDED, Decided, draft_acted, draft_decided
from policy.resolved import Policy

PRUNE_STEP: Final = 256
"""Entries are forgotten in steps of this many, so that forgetting is rare and each time short."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept: at most this many bytes, and this many of the newest entries whatever their size."""

    max_bytes: int = 512 * 1024 * 1024
    keep_entries: int = 1_000


class Journal:
    """The one writer of a journal; it holds the lock next to the file from opening to `close`."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int, retention: Retention) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock
        self._retention = retention

    @classmethod
    def open(cls, path: Path, retention: Retention | None = None) -> Self:
        """Take the lock and open the file, making it when needed. Raises JournalError, JournalHeldError."""
        lock = guard.hold(path)
        try:
            return cls(path, store.open_for_writing(path), lock, retention or Retention())
        except BaseException:
            os.close(lock)
            raise

    def close(self) -> None:
        """Let go of the file and the lock."""
        self._connection.close()
        os.close(self._lock)

    def decided(self, policy: Policy, snapshot: Snapshot, state: State, decision: Decision) -> bytes:
        """Note a decision with all that it was made from; the digest of the entry."""
        with journal_errors(self.path):
            return store.append(self._connection, draft_decided(policy, snapshot, state, decision)).digest

    def acted(self, decision: Decision, wave: str, outcomes: tuple[Outcome, ...], state: State) -> bytes:
        """Note what came of a wave, and what is remembered after it; the digest of the entry."""
        with journal_errors(self.path):
            return store.append(self._connection, draft_acted(decision, wave, outcomes, state)).digest

    def forget_oldest(self, kept_since: datetime | None = None) -> None:
        """Remove the oldest entries while the file holds more than it may, but no decision that was made since then."""
        with journal_errors(self.path):
            while store.used_bytes(self._connection) > self._retention.max_bytes:
                first, last = store.ends(self._connection)
                through = min(first + PRUNE_STEP - 1, last - self._retention.keep_entries)
                if kept_since is not None:
                    through = self._last_before(kept_since, through)
                if through <= first:
                    return  # of one entry that goes the note of it would take the place, without end
                store.forget(self._connection, through)

    def _last_before(self, instant: datetime, through: int) -> int:
        """The last entry up to `through` that stands before the first decision since an instant."""
        for entry in store.entries(self._connection, DECIDED):
            if entry.sequence > through:
                break
            if decode(entry.body, Decided).at >= instant:
                return entry.sequence - 1
        return through
