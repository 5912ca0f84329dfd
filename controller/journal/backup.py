"""A copy of a journal's file as it is at one instant, also while a controller writes to it."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from controller.journal import sqlite
from controller.journal.errors import JournalError, journal_errors
from controller.journal.place import Place
from controller.journal.reader import reading


def back_up(journal: Path, copy: Path) -> int:
    """Copy a journal to a file that is not there yet, and read the copy: how many entries it has.

    The copy has its name once it is known to be whole. Raises JournalError.
    """
    if not journal.is_file():
        raise JournalError(f"journal {journal}: not there: give the file that `gridwright run` writes")
    if copy.exists():
        raise JournalError(f"journal {journal}: {copy} is there already: give another name for the copy")
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    with ExitStack() as undo:
        undo.callback(unfinished.unlink, missing_ok=True)
        _copied(journal, unfinished)
        count = verified(unfinished)
        unfinished.rename(copy)
    return count


def verified(place: Place) -> int:
    """How many entries a journal has. Raises JournalError with the first finding where it is not whole."""
    with reading(place) as reader:
        broken = next(iter(reader.verify_chain()), None)
        if broken is not None:
            raise JournalError(f"journal {place}: {broken.message}: {broken.hint}")
        return sum(1 for _ in reader.entries())


def _copied(journal: Path, copy: Path) -> None:
    """All pages in one step, which holds up no writer. The copy is one file, without one of what was not merged yet."""
    with journal_errors(journal), closing(sqlite.reader(journal)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
