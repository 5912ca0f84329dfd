"""The journal's SQLite file: appending entries in a hash chain, keeping documents once, and forgetting the oldest."""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from controller.journal.chain import GENESIS, Entry, digest_of
from controller.journal.errors import JournalError, journal_errors

SCHEMA_VERSION: Final = 1
APPLICATION_ID: Final = 0x47575244
"""`GWRD`: tells a journal from any other SQLite file."""
BUSY_MS: Final = 2_000
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
PRUNED: Final = "pruned"

SCHEMA: Final = """
CREATE TABLE entry (
    sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, decision TEXT NOT NULL, revision TEXT NOT NULL,
    body BLOB NOT NULL, previous BLOB NOT NULL, digest BLOB NOT NULL
) STRICT;
CREATE INDEX entry_kind ON entry (kind, sequence);
CREATE TABLE document (digest TEXT PRIMARY KEY, text BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE uses (revision TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (revision, digest)) STRICT, WITHOUT ROWID;
"""


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


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The journal at `path`, made when it is not there. Raises JournalError."""
    with journal_errors(path), ExitStack() as undo:
        connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
        undo.callback(connection.close)
        fresh = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if fresh:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if fresh:
            connection.executescript(
                f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; "
                f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )
        _require_ours(connection, path)
        undo.pop_all()
        return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """The journal at `path`, which must be there; a writer may go on meanwhile. Raises JournalError."""
    with journal_errors(path), ExitStack() as undo:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1000, isolation_level=None)
        undo.callback(connection.close)
        _require_ours(connection, path)
        undo.pop_all()
        return connection


def _require_ours(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise JournalError(f"journal {path}: an SQLite file of another program: give another path")
    if version != SCHEMA_VERSION:
        raise JournalError(
            f"journal {path}: written in format {version}, this release reads {SCHEMA_VERSION}: use the release that "
            "wrote it, or start with a new journal"
        )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """What the block writes, all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some failures, a full disk among them.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def append(connection: sqlite3.Connection, draft: Draft) -> Entry:
    """Write one entry and its documents, all or nothing."""
    with transaction(connection):
        entry = _insert(connection, draft)
        for digest, text in draft.documents:
            connection.execute("INSERT OR IGNORE INTO document VALUES (?, ?)", (digest, zlib.compress(text.encode())))
            connection.execute("INSERT OR IGNORE INTO uses VALUES (?, ?)", (draft.revision, digest))
    return entry


def _insert(connection: sqlite3.Connection, draft: Draft) -> Entry:
    last = connection.execute("SELECT sequence, digest FROM entry ORDER BY sequence DESC LIMIT 1").fetchone()
    sequence, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
    digest = digest_of(previous, sequence, draft.kind, draft.decision, draft.body)
    row = (sequence, draft.kind, draft.decision, draft.revision, zlib.compress(draft.body), previous, digest)
    connection.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return Entry(sequence, draft.kind, draft.decision, draft.body, previous, digest)


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the file holds, pages that are free for reuse left out."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def forget(connection: sqlite3.Connection, through: int) -> None:
    """Remove the entries up to `through` and the documents that none of the others refers to, and note it."""
    with transaction(connection):
        found = connection.execute("SELECT digest FROM entry WHERE sequence = ?", (through,)).fetchone()
        if found is not None:
            connection.execute("DELETE FROM entry WHERE sequence <= ?", (through,))
            connection.execute("DELETE FROM uses WHERE revision NOT IN (SELECT revision FROM entry)")
            connection.execute("DELETE FROM document WHERE digest NOT IN (SELECT digest FROM uses)")
            _insert(connection, Draft(PRUNED, "", msgspec.json.encode(Pruned(through, found[0].hex()))))
    connection.execute("PRAGMA incremental_vacuum").fetchall()


def ends(connection: sqlite3.Connection) -> tuple[int, int]:
    """The sequence numbers of the first and the last entry; (0, 0) without any."""
    first, last = connection.execute("SELECT min(sequence), max(sequence) FROM entry").fetchone()
    return (first or 0, last or 0)


def entries(connection: sqlite3.Connection, kind: str | None = None, *, newest_first: bool = False) -> Iterator[Entry]:
    """The entries in order, one kind or all. Raises JournalError on a body that cannot be unpacked."""
    where, order = ("WHERE kind = ?", (kind,)) if kind else ("", ())
    direction = "DESC" if newest_first else "ASC"
    sql = f"SELECT sequence, kind, decision, body, previous, digest FROM entry {where} ORDER BY sequence {direction}"  # noqa: S608 - fixed words only
    with closing(connection.execute(sql, order)) as cursor:
        for sequence, its_kind, decision, body, previous, digest in cursor:
            yield Entry(sequence, its_kind, decision, unpack(body), previous, digest)


def documents(connection: sqlite3.Connection, wanted: Sequence[str]) -> dict[str, str]:
    """The texts of these digests, as far as they are kept."""
    rows: Iterable[tuple[str, bytes]] = (
        row
        for digest in wanted
        for row in connection.execute("SELECT digest, text FROM document WHERE digest = ?", (digest,))
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
