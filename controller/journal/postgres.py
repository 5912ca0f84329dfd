"""A journal's database: how sessions of PostgreSQL are opened, bounded in time, and no password in any word of them."""

import ssl
from typing import Any, Final

from pg8000 import dbapi
from sqlalchemy import Engine, QueuePool, create_engine

from controller.journal.errors import JournalError
from controller.journal.place import Database

ANSWER_WITHIN_S: Final = 15.0
"""For connecting, and for each answer. The server gives up earlier, so that it tells why."""
LIMITS: Final = {
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    # Of a machine that is gone the server learns within half a minute, and lets its locks go.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
MOST_PASSWORD_BYTES: Final = 4096


def to_write(database: Database) -> Engine:
    """One session at a time, opened anew after it was lost. A transaction that stands still is ended by the server."""
    return _engine(database, LIMITS | {"idle_in_transaction_session_timeout": "10s"})


def to_read(database: Database) -> Engine:
    """One session that can only read, and sees one instant within a transaction."""
    limits = LIMITS | {"default_transaction_read_only": "on"}
    return _engine(database, limits, isolation_level="REPEATABLE READ")


def _engine(database: Database, limits: dict[str, str], **more: Any) -> Engine:
    return create_engine(
        "postgresql+pg8000://",
        creator=lambda: _opened(database, limits),
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=ANSWER_WITHIN_S,
        pool_pre_ping=True,
        hide_parameters=True,
        **more,
    )


def _opened(database: Database, limits: dict[str, str]) -> dbapi.Connection:
    where: dict[str, Any] = {"host": database.host, "port": database.port}
    if database.host.startswith("/"):
        where = {"host": None, "unix_sock": f"{database.host}/.s.PGSQL.{database.port}"}
    try:
        return dbapi.connect(
            database.user,
            database=database.name,
            password=_password(database),
            ssl_context=_trust(database) if database.is_tls else False,
            timeout=ANSWER_WITHIN_S,
            application_name="gridwright",
            startup_params=limits,
            **where,
        )
    except (OSError, dbapi.InterfaceError) as error:
        # pg8000 says goodbye to a server that has refused it, and where that has hung up raises this instead.
        if refusal := _refusal_before(error):
            raise refusal from None
        raise


def _refusal_before(error: BaseException) -> dbapi.DatabaseError | None:
    """What the server had said when an error came on top of it."""
    before = error.__context__
    while before is not None and not isinstance(before, dbapi.DatabaseError):
        before = before.__context__
    return before


def _password(database: Database) -> str:
    """The password; empty without a file, which a server that asks for one then refuses in its own words."""
    file = database.password_file
    if file is None:
        return ""
    try:
        with file.open("rb") as opened:
            return opened.read(MOST_PASSWORD_BYTES).decode().partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise JournalError(
            f"journal {database}: its password cannot be read from {file} ({told}): see `passwordFile` of the "
            "connections document"
        ) from None


def _trust(database: Database) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=database.ca_file)
    except OSError as error:
        raise JournalError(
            f"journal {database}: no certificates can be read from {database.ca_file} ({error.strerror or error}): see "
            "`caFile` of the connections document"
        ) from error
