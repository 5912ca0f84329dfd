"""The journal as it is read: decisions, the point to go on from, and whether its chain is whole."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from collectors.recording import decode
from controller.decision import State
from controller.journal import store
from controller.journal.chain import GENESIS, Entry, breaks
from controller.journal.errors import JournalError, journal_errors
from controller.journal.records import ACTED, DECIDED, Acted, Decided
from controller.journal.store import PRUNED, Pruned, digest_text
from policy.findings import Finding, Level


@dataclass(frozen=True, slots=True)
class Resumed:
    """Where the last controller stopped: what it remembered, and the documents of the policy that it followed.

    `commit` is the git commit that they were from, empty where they were from elsewhere.
    """

    state: State
    documents: tuple[tuple[str, str], ...]
    commit: str = ""


class JournalReader:
    """A journal opened for reading, also while a controller writes to it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def decisions(self, *, newest_first: bool = False) -> Iterator[Decided]:
        """Every decision that is kept. Raises JournalError."""
        with journal_errors(self.path):
            for entry in store.entries(self._connection, DECIDED, newest_first=newest_first):
                yield decode(entry.body, Decided)

    def outcomes(self, *, newest_first: bool = False) -> Iterator[Acted]:
        """What came of every wave that is kept. Raises JournalError."""
        with journal_errors(self.path):
            for entry in store.entries(self._connection, ACTED, newest_first=newest_first):
                yield decode(entry.body, Acted)

    def documents(self, decided: Decided) -> tuple[tuple[str, str], ...]:
        """The policy documents behind a decision, as (name, text). Raises JournalError when one is not there."""
        with journal_errors(self.path):
            texts = store.documents(self._connection, [digest for _, digest in decided.documents])
        missing = [name for name, digest in decided.documents if digest not in texts]
        if missing:
            raise JournalError(
                f"journal {self.path}: {', '.join(missing)} of decision {decided.decision} is not in it: restore the "
                "journal from a backup"
            )
        return tuple((name, texts[digest]) for name, digest in decided.documents)

    def resume(self) -> Resumed | None:
        """Where to go on; None for a new journal. A wave that was cut short counts as not carried out."""
        last = next(self.decisions(newest_first=True), None)
        if last is None:
            return None
        acted = next(self.outcomes(newest_first=True), None)
        state = acted.state if acted is not None and acted.decision == last.decision else last.state
        return Resumed(state, self.documents(last), last.policy_commit)

    def verify_chain(self) -> Iterator[Finding]:
        """Every break of the chain and every document that is not what it was; nothing when all is whole."""
        with journal_errors(self.path):
            yield from breaks(store.entries(self._connection), self._start())
        for decided in self.decisions():
            for name, text in self.documents(decided):
                if (name, digest_text(text)) not in decided.documents:
                    yield Finding(
                        "GW3011",
                        Level.ERROR,
                        f"document {name} of decision {decided.decision} is not what was written",
                        "restore the journal from a backup, and find out who may write to the file",
                        subject=decided.decision,
                    )

    def _start(self) -> bytes:
        """What the first entry follows: nothing, or what the note says of those that were forgotten."""
        first, _ = store.ends(self._connection)
        if first <= 1:
            return GENESIS
        note: Entry | None = next(store.entries(self._connection, PRUNED, newest_first=True), None)
        pruned = decode(note.body, Pruned) if note else Pruned(0, "")
        return bytes.fromhex(pruned.digest) if pruned.through == first - 1 else b""


@contextmanager
def reading(path: Path) -> Iterator[JournalReader]:
    """The journal at `path`, closed at the end. Raises JournalError."""
    if not path.is_file():
        raise JournalError(f"journal {path}: not there: give the file that `gridwright run` writes")
    connection = store.open_for_reading(path)
    try:
        yield JournalReader(path, connection)
    finally:
        connection.close()
