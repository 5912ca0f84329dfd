"""The journal's errors, and what those of SQLite and of PostgreSQL say in words with a next step.

JournalError
└── JournalHeldError
"""

import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pg8000.exceptions import DatabaseError, InterfaceError
from scramp import ScramException
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from collectors.recording import RecordingError
from controller.journal.place import Place

NEXT_STEPS: Final = (
    ("SQLITE_FULL", "the disk or the quota is full", "free space there"),
    ("SQLITE_BUSY", "another process keeps it locked", "see which one has it open (`fuser` tells) and end that"),
    ("SQLITE_LOCKED", "another process keeps it locked", "see which one has it open (`fuser` tells) and end that"),
    ("SQLITE_READONLY", "it is read-only", "give the controller's user the right to write to it and its folder"),
    ("SQLITE_CANTOPEN", "it cannot be opened", "see whether its folder exists and may be written to"),
    ("SQLITE_IOERR", "reading or writing failed", "see the disk's free space, file size limit and kernel log"),
    ("SQLITE_NOTADB", "it is not a journal", "give another path"),
    ("SQLITE_CORRUPT", "it is damaged", "move it away, keep it for a look, and start with a new one"),
)
OF_SQLSTATES: Final = (
    ("28", "it does not let this user in", "mend `user` and the password's file in the connections document"),
    ("3D000", "there is no such database", "create it, owned by the user, or mend `name` in the connections document"),
    ("42501", "the user may not do this", "have the user own the database, or the tables in it"),
    ("53100", "its disk is full", "free space there"),
    ("53300", "it has too many connections", "end some, or raise max_connections"),
    ("55P03", "another session keeps it locked", "see pg_stat_activity, and end what stands still there"),
    ("57014", "it took too long", "see what else the server does"),
    ("57P", "it is stopping or starting", "wait, or see its log"),
    ("25006", "it takes no writes", "name the primary, not a standby, in the connections document"),
)


class JournalError(Exception):
    """The journal cannot be read or written, so nothing may be acted on. The message tells the next step."""


class JournalHeldError(JournalError):
    """Another controller holds the journal: two may not act on one fleet."""


@contextmanager
def journal_errors(place: Place) -> Iterator[None]:
    """Raise what a database or the decoding of an entry raises inside as JournalError, without any value in it."""
    try:
        yield
    except RecordingError as error:
        raise JournalError(f"journal {place}: an entry is {error}") from error
    # Of the network pg8000 passes on some errors as they are: an answer that does not come is a TimeoutError.
    except (SQLAlchemyError, sqlite3.Error, DatabaseError, InterfaceError, ScramException, OSError) as error:
        origin = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        raise JournalError(f"journal {place}: {_told(origin)}") from error


def _told(error: BaseException) -> str:
    if isinstance(error, sqlite3.Error):
        return _by(NEXT_STEPS, getattr(error, "sqlite_errorname", "") or "", str(error))
    if isinstance(error, DatabaseError) and error.args and isinstance(error.args[0], dict):
        fields = error.args[0]
        return _by(OF_SQLSTATES, str(fields.get("C", "")), str(fields.get("M", "")))
    if isinstance(error, ssl.SSLError):
        return f"it does not show who it is ({error}): mend `caFile` or `host` in the connections document"
    if isinstance(error, ScramException):
        return f"it and the password do not agree ({error}): mend the password's file in the connections document"
    if isinstance(error, (InterfaceError, OSError)):
        told = error.__cause__ or error
        return f"it cannot be reached ({told}): see whether it runs, and whether the network leads there"
    return f"{error}: see whether another program wrote to it"


def _by(steps: tuple[tuple[str, str, str], ...], code: str, words: str) -> str:
    for prefix, cause, step in steps:
        if code.startswith(prefix):
            return f"{cause} ({words}): {step}"
    return f"{words}: see whether another program wrote to it"
