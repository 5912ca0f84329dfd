"""The journal's errors, and what SQLite's own say in words with a next step.

JournalError
└── JournalHeldError
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from collectors.recording import RecordingError

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


class JournalError(Exception):
    """The journal cannot be read or written, so nothing may be acted on. The message tells the next step."""


class JournalHeldError(JournalError):
    """Another controller holds the journal: two may not act on one fleet."""


@contextmanager
def journal_errors(path: Path) -> Iterator[None]:
    """Raise what SQLite or the decoding of an entry raises inside as JournalError."""
    try:
        yield
    except RecordingError as error:
        raise JournalError(f"journal {path}: an entry is {error}") from error
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        for prefix, cause, step in NEXT_STEPS:
            if name.startswith(prefix):
                raise JournalError(f"journal {path}: {cause} ({error}): {step}") from error
        raise JournalError(f"journal {path}: {error}: see whether another program wrote to it") from error
