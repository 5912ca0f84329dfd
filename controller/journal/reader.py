"""The journal as it is read: decisions, the point to go on from, and whether its chain is whole."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from collectors.recording import decode
from controller.decision import State
from controller.journal import opening, store
from controller.journal.chain import GENESIS, Entry, breaks
from controller.journal.errors import JournalError, journal_errors
from controller.journal.migrating import require_known
from controller.journal.place import Place
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

    def __init__(self, place: Place, connection: Connection) -> None:
        self.place = place
        self._connection = connection

    def entries(self) -> Iterator[Entry]:
        """Every entry that is kept. Raises JournalError."""
        with journal_errors(self.place):
            yield from store.entries(self._connection)

    def decisions(self, *, newest_first: bool = False) -> Iterator[Decided]:
        """Every decision that is kept. Raises JournalError."""
        with journal_errors(self.place):
            for entry in store.entries(self._connection, DECIDED, newest_first=newest_first):
                yield decode(entry.body, Decided)

    def outcomes(self, *, newest_first: bool = False) -> Iterator[Acted]:
        """What came of every wave that is kept. Raises JournalError."""
        with journal_errors(self.place):
            for entry in store.entries(self._connection, ACTED, newest_first=newest_first):
                yield decode(entry.body, Acted)

    def documents(self, decided: Decided) -> tuple[tuple[str, str], ...]:
        """The policy documents behind a decision, as (name, text). Raises JournalError when one is not there."""
        with journal_errors(self.place):
            texts = store.documents(self._connection, [digest for _, digest in decided.documents])
        missing = [name for name, digest in decided.documents if digest not in texts]
        if missing:
            raise JournalError(
                f"journal {self.place}: {', '.join(missing)} of decision {decided.decision} is not in it: restore the "
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
        with journal_errors(self.place):
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
def reading(place: Place) -> Iterator[JournalReader]:
    """The journal as it is at one instant, closed at the end. Raises JournalError."""
    if isinstance(place, Path) and not place.is_file():
        raise JournalError(f"journal {place}: not there: give the file that `gridwright run` writes")
    with ExitStack() as stack:
        with journal_errors(place):
            connection = stack.enter_context(opening.reading(place))
            if require_known(connection, place) is None:
                raise JournalError(f"journal {place}: nothing is in it: give what `gridwright run` writes to")
        yield JournalReader(place, connection)
