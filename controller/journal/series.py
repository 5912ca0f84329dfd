"""The counts that forecasts go by and what was learnt of them, kept in a journal's file beside its entries.

They are no part of the chain, for nothing is decided from them: the entry of a decision holds the forecasts themselves.
Counts lie in parts of `PART` intervals, so that one interval more costs one part. A series holds as many counts as its
history does, and is dropped `UNSEEN_S` after its last interval.
"""

import math
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Final, Self

from collectors.recording import RecordingError, decode, encode
from collectors.snapshot import Foreseen, Reading
from controller.demand.history import History
from controller.demand.online import State
from controller.journal import store
from controller.journal.errors import JournalError, journal_errors

PART: Final = 360
UNSEEN_S: Final = 86_400

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS series (
    service TEXT NOT NULL, origin TEXT NOT NULL, interval_s INTEGER NOT NULL, seen INTEGER NOT NULL,
    until_s INTEGER NOT NULL, learnt BLOB NOT NULL, PRIMARY KEY (service, origin)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series_part (
    service TEXT NOT NULL, origin TEXT NOT NULL, part INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (service, origin, part)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What outcomes have taught of a series with the forecasters of these names, and what was foreseen last."""

    forecasters: tuple[str, ...]
    state: State
    foreseen: Reading[Foreseen]


@dataclass(frozen=True, slots=True)
class Kept:
    """A demand's series. `learnt` is None where a release wrote it that learns otherwise."""

    service: str
    origin: str
    history: History
    learnt: Learnt | None


@dataclass(frozen=True, slots=True)
class Part:
    """Counts from the interval `first` on, None for a missing one."""

    first: int
    counts: tuple[float | None, ...]


class SeriesStore:
    """The series of a journal, whose lock must be held. Every method raises JournalError."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._in_use = Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """The series of the journal at `path`; one of an earlier release has none yet."""
        connection = store.open_for_writing(path)
        try:
            with journal_errors(path):
                connection.executescript(SCHEMA)
        except BaseException:
            connection.close()
            raise
        return cls(path, connection)

    def close(self) -> None:
        """Let go of the file, when nothing is being written."""
        with self._in_use:
            self._connection.close()

    def keep(self, series: Sequence[Kept]) -> None:
        """Bring the series up to date, all or nothing, and drop those that were not seen for long."""
        with self._in_use, journal_errors(self.path), store.transaction(self._connection):
            for item in series:
                self._write_counts(item)
                self._write_learnt(item)
            newest_s = max((_until_s(item.history) for item in series), default=0)
            self._connection.execute("DELETE FROM series WHERE until_s < ?", (newest_s - UNSEEN_S,))
            self._connection.execute(
                "DELETE FROM series_part WHERE (service, origin) NOT IN (SELECT service, origin FROM series)"
            )

    def kept(self) -> tuple[Kept, ...]:
        """Every series."""
        with self._in_use, journal_errors(self.path):
            rows = self._connection.execute(
                "SELECT service, origin, interval_s, seen, until_s, learnt FROM series ORDER BY service, origin"
            ).fetchall()
            return tuple(self._read(row) for row in rows)

    def _write_counts(self, item: Kept) -> None:
        """Write the last part that is there, which may have grown, and those after it."""
        history, key = item.history, (item.service, item.origin)
        first, last = history.first_index // PART, (history.end_index - 1) // PART
        (there,) = self._connection.execute(
            "SELECT max(part) FROM series_part WHERE service = ? AND origin = ?", key
        ).fetchone()
        self._connection.execute(
            "DELETE FROM series_part WHERE service = ? AND origin = ? AND part NOT BETWEEN ? AND ?", (*key, first, last)
        )
        begin = there if there is not None and first <= there <= last else first
        for part in range(begin, last + 1):
            body = zlib.compress(encode(_part(history, part)))
            self._connection.execute("REPLACE INTO series_part VALUES (?, ?, ?, ?)", (*key, part, body))

    def _write_learnt(self, item: Kept) -> None:
        history = item.history
        row = (item.service, item.origin, history.interval_s, history.seen, _until_s(history))
        learnt = zlib.compress(encode(item.learnt))
        self._connection.execute("REPLACE INTO series VALUES (?, ?, ?, ?, ?, ?)", (*row, learnt))

    def _read(self, row: tuple[str, str, int, int, int, bytes]) -> Kept:
        service, origin, interval_s, seen, until_s, learnt = row
        rows = self._connection.execute(
            "SELECT body FROM series_part WHERE service = ? AND origin = ? ORDER BY part", (service, origin)
        )
        parts = [decode(store.unpack(body), Part) for (body,) in rows]
        history = replace(_joined(parts, interval_s), seen=seen)
        if not parts or _until_s(history) != until_s or any(b.first != _end(a) for a, b in pairwise(parts)):
            raise JournalError(
                f"journal {self.path}: the counts of {service}@{origin} are not whole: restore it from a backup"
            )
        return Kept(service, origin, history, _learnt(store.unpack(learnt)))


def _part(history: History, part: int) -> Part:
    first = max(part * PART, history.first_index)
    begin = first - history.first_index
    counts = history.counts[begin : (part + 1) * PART - history.first_index].tolist()
    return Part(first, tuple(None if math.isnan(count) else count for count in counts))


def _joined(parts: Iterable[Part], interval_s: int) -> History:
    parts = tuple(parts)
    first = parts[0].first if parts else 0
    return History.of(interval_s, (count for part in parts for count in part.counts), first)


def _learnt(body: bytes) -> Learnt | None:
    try:
        return decode(body, Learnt)
    except RecordingError:
        return None


def _end(part: Part) -> int:
    return part.first + len(part.counts)


def _until_s(history: History) -> int:
    """The Unix time at which the last interval ended."""
    return history.end_index * history.interval_s
