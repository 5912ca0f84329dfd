"""A journal's file: how it is opened by SQLite, to write to it or to read it."""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

from controller.journal.errors import JournalError

FORMAT: Final = 1
"""What every release that can read a file finds in it; a step that an earlier one could not live with raises it."""
APPLICATION_ID: Final = 0x47575244
"""`GWRD`: tells a journal from any other SQLite file."""
BUSY_S: Final = 2.0


def to_write(path: Path) -> Engine:
    """The journal at `path`, made when it is not there. Using it raises JournalError where it is something else."""

    def opened() -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            _prepared(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection

    return _engine(opened, "BEGIN IMMEDIATE")


def to_read(path: Path) -> Engine:
    """The journal at `path`, which must be there; a writer may go on meanwhile."""
    return _engine(partial(reader, path), "BEGIN")


def reader(path: Path) -> sqlite3.Connection:
    """A connection of SQLite's own that reads the journal at `path`. Raises JournalError where it is something else."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _require_ours(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _engine(opened: Callable[[], sqlite3.Connection], begin: str) -> Engine:
    engine = create_engine(
        "sqlite+pysqlite://",
        creator=opened,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=BUSY_S,
        hide_parameters=True,
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _prepared(connection: sqlite3.Connection, path: Path) -> None:
    fresh = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if fresh:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    if fresh:
        connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};")
    _require_ours(connection, path)


def _require_ours(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise JournalError(f"journal {path}: an SQLite file of another program: give another path")
    if version != FORMAT:
        raise JournalError(
            f"journal {path}: written in format {version}, this release reads {FORMAT}: use the release that "
            "wrote it, or start with a new journal"
        )
