"""A journal's database, whichever it is, opened to be written or to be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine

from controller.journal import holding, postgres, sqlite
from controller.journal.errors import JournalError, journal_errors
from controller.journal.migrating import migrate
from controller.journal.place import Place


class Opened:
    """A journal's database that can be written to until it is closed, with the tables of this release."""

    def __init__(self, place: Place, engine: Engine) -> None:
        self.place = place
        self._engine = engine
        self._is_closed = False

    @classmethod
    def at(cls, place: Place) -> Self:
        """Open it, making it when needed. Raises JournalError."""
        opened = cls(place, sqlite.to_write(place) if isinstance(place, Path) else postgres.to_write(place))
        try:
            with opened.writing() as connection:
                migrate(connection, place)
        except BaseException:
            opened.close()
            raise
        return opened

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """What the block writes, all or nothing. Raises JournalError."""
        if self._is_closed:
            raise JournalError(f"journal {self.place}: it is closed: start the controller again")
        with journal_errors(self.place), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def held(self, term: str | None) -> Iterator[Connection]:
        """What the block writes, while this term may write; whoever does, without one. Raises JournalHeldError, too."""
        with self.writing() as connection:
            if term is not None:
                holding.require(connection, self.place, term)
            yield connection

    def close(self) -> None:
        """Let go of it."""
        self._is_closed = True
        self._engine.dispose()


@contextmanager
def reading(place: Place) -> Iterator[Connection]:
    """A journal as it is at one instant."""
    engine = sqlite.to_read(place) if isinstance(place, Path) else postgres.to_read(place)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
