"""A journal's place for each test: a file of SQLite, or a new database of a PostgreSQL that all tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.journal.place import Place
from tests.journal.postgresql import Server, serving


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, path: Path) -> Place:
    if request.param == "sqlite":
        return path
    server: Server = request.getfixturevalue("server")
    return server.emptied()
