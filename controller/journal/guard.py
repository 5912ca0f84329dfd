"""One writer a journal: a file lock that the kernel takes back when its holder ends, however it ends."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from controller.journal.errors import JournalError, JournalHeldError


def lock_path(journal: Path) -> Path:
    """The lock that belongs to a journal."""
    return journal.with_name(f"{journal.name}.lock")


def hold(journal: Path) -> int:
    """Take the lock next to the journal; the file descriptor that holds it, to be closed at the end.

    Raises JournalHeldError when another controller has it, JournalError when the file cannot be made.
    """
    path = lock_path(journal)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(
            f"journal {journal}: its lock {path} cannot be made ({error.strerror}): see whether the folder exists and "
            "may be written to"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise JournalHeldError(
            f"journal {journal}: another controller (process {holder}) acts on this fleet: stop it first, or look with "
            "`gridwright plan`, which only reads"
        ) from error
    # The number only helps whoever is refused; the lock holds without it, on a full disk too.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor
