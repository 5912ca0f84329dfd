"""A journal's tables: appending entries in a hash chain, keeping documents once, and forgetting the oldest."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec
from sqlalchemy import Connection, Table, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from controller.journal.chain import GENESIS, Entry, digest_of
from controller.journal.errors import JournalError
from controller.journal.tables import DOCUMENT, ENTRY, USES

MAX_BODY_BYTES: Final = 64 * 1024 * 1024
FETCHED: Final = 16
"""Entries that are fetched at a time: one may be large."""
PRUNED: Final = "pruned"


@dataclass(frozen=True, slots=True)
class Pruned:
    """The note that entries up to `through` are gone; the first entry that is left follows `digest` (hex)."""

    through: int
    digest: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be written. `documents` are the texts by digest that it refers to, under the policy's `revision`."""

    kind: str
    decision: str
    body: bytes
    revision: str = ""
    documents: tuple[tuple[str, str], ...] = ()


def digest_text(text: str) -> str:
    """What a document is known by: the SHA-256 of its UTF-8 text, in hex."""
    return sha256(text.encode()).hexdigest()


def append(connection: Connection, draft: Draft) -> Entry:
    """Write one entry and its documents."""
    entry = _insert(connection, draft)
    for digest, text in draft.documents:
        _add(connection, DOCUMENT, {"digest": digest, "text": zlib.compress(text.encode())})
        _add(connection, USES, {"revision": draft.revision, "digest": digest})
    return entry


def _add(connection: Connection, table: Table, row: Mapping[str, object]) -> None:
    """Write a row unless it is there."""
    if connection.dialect.name == "sqlite":
        connection.execute(sqlite.insert(table).values(row).on_conflict_do_nothing())
    else:
        connection.execute(postgresql.insert(table).values(row).on_conflict_do_nothing())


def _insert(connection: Connection, draft: Draft) -> Entry:
    newest = select(ENTRY.c.sequence, ENTRY.c.digest).order_by(ENTRY.c.sequence.desc()).limit(1)
    last = connection.execute(newest).one_or_none()
    sequence, previous = (last.sequence + 1, last.digest) if last else (1, GENESIS)
    entry = Entry(
        sequence,
        draft.kind,
        draft.decision,
        draft.body,
        previous,
        digest_of(previous, sequence, draft.kind, draft.decision, draft.body),
    )
    connection.execute(
        insert(ENTRY).values(
            sequence=sequence,
            kind=draft.kind,
            decision=draft.decision,
            revision=draft.revision,
            body=zlib.compress(draft.body),
            previous=previous,
            digest=entry.digest,
        )
    )
    return entry


def used_bytes(connection: Connection) -> int:
    """What the journal holds: of a file the pages but for those that are free for reuse, else entries and documents."""
    if connection.dialect.name == "sqlite":
        pages, free, size = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)
    sizes = (select(func.sum(func.octet_length(column))) for column in (ENTRY.c.body, DOCUMENT.c.text))
    return sum(int(connection.execute(size).scalar_one() or 0) for size in sizes)


def forget(connection: Connection, through: int) -> None:
    """Remove the entries up to `through` and the documents that none of the others refers to, and note it."""
    digest = connection.execute(select(ENTRY.c.digest).where(ENTRY.c.sequence == through)).scalar_one_or_none()
    if digest is not None:
        connection.execute(delete(ENTRY).where(ENTRY.c.sequence <= through))
        connection.execute(delete(USES).where(USES.c.revision.not_in(select(ENTRY.c.revision))))
        connection.execute(delete(DOCUMENT).where(DOCUMENT.c.digest.not_in(select(USES.c.digest))))
        _insert(connection, Draft(PRUNED, "", msgspec.json.encode(Pruned(through, digest.hex()))))
    if connection.dialect.name == "sqlite":
        # It frees a page a step, and counts as no query: a result of SQLAlchemy would end it at the first one.
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute("PRAGMA incremental_vacuum")
            cursor.fetchall()


def ends(connection: Connection) -> tuple[int, int]:
    """The sequence numbers of the first and the last entry; (0, 0) without any."""
    first, last = connection.execute(select(func.min(ENTRY.c.sequence), func.max(ENTRY.c.sequence))).one()
    return (first or 0, last or 0)


def entries(connection: Connection, kind: str | None = None, *, newest_first: bool = False) -> Iterator[Entry]:
    """The entries in order, one kind or all. Raises JournalError on a body that cannot be unpacked."""
    table = ENTRY.c
    wanted = select(table.sequence, table.kind, table.decision, table.body, table.previous, table.digest)
    wanted = wanted.order_by(table.sequence.desc() if newest_first else table.sequence)
    if kind:
        wanted = wanted.where(table.kind == kind)
    found = connection.execute(wanted, execution_options={"stream_results": True, "yield_per": FETCHED})
    with closing(found) as rows:
        for sequence, its_kind, decision, body, previous, digest in rows:
            yield Entry(sequence, its_kind, decision, unpack(body), previous, digest)


def documents(connection: Connection, wanted: Sequence[str]) -> dict[str, str]:
    """The texts of these digests, as far as they are kept."""
    rows = (
        row
        for digest in wanted
        for row in connection.execute(select(DOCUMENT.c.digest, DOCUMENT.c.text).where(DOCUMENT.c.digest == digest))
    )
    return {digest: unpack(text).decode() for digest, text in rows}


def unpack(packed: bytes) -> bytes:
    """What `zlib.compress` was given, up to a bound. Raises JournalError."""
    inflate = zlib.decompressobj()
    try:
        body = inflate.decompress(packed, MAX_BODY_BYTES)
    except zlib.error as error:
        raise JournalError(f"a journal entry cannot be unpacked ({error}): restore the file from a backup") from error
    if not inflate.eof:
        raise JournalError(f"a journal entry is cut off or over {MAX_BODY_BYTES} bytes: restore it from a backup")
    return body
