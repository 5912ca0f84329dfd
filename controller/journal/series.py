"""The counts that forecasts go by and what was learnt of them, kept in a journal's file beside its entries.

They are no part of the chain, for nothing is decided from them: the entry of a decision holds the forecasts themselves.
Counts lie in parts of `PART` intervals, so that one interval more costs one part. A series holds as many counts as its
history does, and is dropped `UNSEEN_S` after its last interval.
"""

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, Self

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, func, insert, or_, select

from collectors.recording import RecordingError, decode, encode
from collectors.snapshot import Foreseen, Reading
from controller.demand.history import History
from controller.demand.online import State
from controller.journal import store
from controller.journal.errors import JournalError
from controller.journal.opening import Opened
from controller.journal.place import Place
from controller.journal.tables import SERIES, SERIES_PART

PART: Final = 360
UNSEEN_S: Final = 86_400


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

    def __init__(self, opened: Opened, term: str | None) -> None:
        self.place = opened.place
        self._opened = opened
        self._term = term

    @classmethod
    def open(cls, place: Place, term: str | None = None) -> Self:
        """The series of a journal; one of an earlier release has none yet. With a `term` only that one may write."""
        return cls(Opened.at(place), term)

    def close(self) -> None:
        """Let go of it."""
        self._opened.close()

    def keep(self, series: Sequence[Kept]) -> None:
        """Bring the series up to date, all or nothing, and drop those that were not seen for long."""
        with self._opened.held(self._term) as connection:
            for item in series:
                _write_counts(connection, item)
                _write_learnt(connection, item)
            newest_s = max((_until_s(item.history) for item in series), default=0)
            connection.execute(delete(SERIES).where(SERIES.c.until_s < newest_s - UNSEEN_S))
            lives = select(SERIES.c.seen).where(_of(SERIES, SERIES_PART.c.service, SERIES_PART.c.origin))
            connection.execute(delete(SERIES_PART).where(~lives.exists()))

    def kept(self) -> tuple[Kept, ...]:
        """Every series."""
        with self._opened.writing() as connection:
            rows = connection.execute(select(SERIES).order_by(SERIES.c.service, SERIES.c.origin)).all()
            return tuple(self._read(connection, row) for row in rows)

    def _read(self, connection: Connection, row: Row[Any]) -> Kept:
        parts = [
            decode(store.unpack(body), Part)
            for body in connection.execute(
                select(SERIES_PART.c.body).where(_of(SERIES_PART, row.service, row.origin)).order_by(SERIES_PART.c.part)
            ).scalars()
        ]
        history = replace(_joined(parts, row.interval_s), seen=row.seen)
        if not parts or _until_s(history) != row.until_s or any(b.first != _end(a) for a, b in pairwise(parts)):
            raise JournalError(
                f"journal {self.place}: the counts of {row.service}@{row.origin} are not whole: restore it from a "
                "backup"
            )
        return Kept(row.service, row.origin, history, _learnt(store.unpack(row.learnt)))


def _of(table: Table, service: Any, origin: Any) -> ColumnElement[bool]:
    return and_(table.c.service == service, table.c.origin == origin)


def _write_counts(connection: Connection, item: Kept) -> None:
    """Write the last part that is there, which may have grown, and those after it."""
    history, parts, of_series = item.history, SERIES_PART.c, _of(SERIES_PART, item.service, item.origin)
    first, last = history.first_index // PART, (history.end_index - 1) // PART
    there = connection.execute(select(func.max(parts.part)).where(of_series)).scalar_one()
    begin = there if there is not None and first <= there <= last else first
    gone = or_(parts.part < first, parts.part >= begin)
    connection.execute(delete(SERIES_PART).where(of_series, gone))
    rows = [
        {
            "service": item.service,
            "origin": item.origin,
            "part": part,
            "body": zlib.compress(encode(_part(history, part))),
        }
        for part in range(begin, last + 1)
    ]
    if rows:
        connection.execute(insert(SERIES_PART), rows)


def _write_learnt(connection: Connection, item: Kept) -> None:
    history = item.history
    connection.execute(delete(SERIES).where(_of(SERIES, item.service, item.origin)))
    connection.execute(
        insert(SERIES).values(
            service=item.service,
            origin=item.origin,
            interval_s=history.interval_s,
            seen=history.seen,
            until_s=_until_s(history),
            learnt=zlib.compress(encode(item.learnt)),
        )
    )


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
