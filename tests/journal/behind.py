"""What tests look at and change in a journal's tables, past the journal itself."""

from contextlib import closing
from typing import Any

from sqlalchemy import text

from controller.journal.opening import Opened
from controller.journal.place import Place


def asked(place: Place, sql: str) -> Any:
    """The one value that a query gives."""
    with closing(Opened.at(place)) as opened, opened.writing() as connection:
        return connection.execute(text(sql)).scalar_one()


def changed(place: Place, sql: str, **values: object) -> None:
    """Change what is there, which has to be something."""
    with closing(Opened.at(place)) as opened, opened.writing() as connection:
        assert connection.execute(text(sql), values).rowcount
