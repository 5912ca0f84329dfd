"""A journal comes to the tables of this release by itself, once, and keeps all that an earlier one wrote."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from controller.decision import State
from controller.journal.errors import JournalError
from controller.journal.migrating import KNOWN, NEWEST
from controller.journal.opening import Opened
from controller.journal.place import Place
from controller.journal.reader import reading
from controller.journal.series import SeriesStore
from controller.journal.tables import METADATA
from controller.journal.writer import Journal
from controller.replay import Replayed, again
from tests.journal.behind import asked, changed
from tests.journal.postgresql import Server
from tests.loop.building import DOCUMENTS, move, policy, snapshot

EARLIER = Path(__file__).parent / "earlier" / "first.sql"
"""Three decisions with what came of them, and a series of 400 minutes, by the release before there were steps."""


@pytest.fixture
def earlier(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(EARLIER.read_text())
    return path


def test_the_steps_lead_to_the_tables_that_are_used(place: Place) -> None:
    with closing(Opened.at(place)) as opened, opened.writing() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_every_step_is_known_and_follows_another_one() -> None:
    config = Config()
    config.set_main_option("script_location", "controller.journal:migrations")
    steps = ScriptDirectory.from_config(config)
    assert [step.revision for step in steps.walk_revisions()] == list(reversed(KNOWN))
    assert steps.get_heads() == [NEWEST]


def test_a_journal_of_the_release_before_steps_is_read_as_it_is(earlier: Path) -> None:
    before = earlier.read_bytes()
    with reading(earlier) as reader:
        assert len(list(reader.decisions())) == 3
        assert list(reader.verify_chain()) == []
    assert earlier.read_bytes() == before


def test_a_journal_of_the_release_before_steps_is_taken_over_without_loss(earlier: Path) -> None:
    state = State()
    with closing(sqlite3.connect(earlier)) as connection:
        entries = connection.execute("SELECT * FROM entry ORDER BY sequence").fetchall()
    with closing(Journal.open(earlier)) as journal, closing(SeriesStore.open(earlier, journal.term)) as series:
        (kept,) = series.kept()
        assert len(kept.history.counts) == 400
        assert kept.learnt is not None
        with reading(earlier) as reader:
            for decided in reader.decisions():
                expected = move(state)
                assert again(decided, policy(), lambda *_, made=expected: made) == Replayed(
                    decided.decision, decided.at
                )
                assert reader.documents(decided) == DOCUMENTS
                state = expected.state
        journal.decided(policy(), snapshot(), state, move(state))
    with reading(earlier) as reader:
        assert len(list(reader.decisions())) == 4
        assert list(reader.verify_chain()) == []
    with closing(sqlite3.connect(earlier)) as connection:
        assert connection.execute("SELECT * FROM entry ORDER BY sequence").fetchall()[:6] == entries


def test_a_journal_from_before_forecasts_were_kept_is_taken_over_too(earlier: Path) -> None:
    with closing(sqlite3.connect(earlier)) as connection:
        connection.executescript("DROP TABLE series; DROP TABLE series_part;")
    with closing(Journal.open(earlier)) as journal, closing(SeriesStore.open(earlier, journal.term)) as series:
        assert series.kept() == ()


def test_a_release_that_knows_no_steps_still_finds_its_format(earlier: Path) -> None:
    Journal.open(earlier).close()
    with closing(sqlite3.connect(earlier)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_journal_that_a_later_release_has_changed_is_left_alone(place: Place) -> None:
    Journal.open(place).close()
    changed(place, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(JournalError, match=r"later release has brought it to step 9999.*restore the backup"):
        Journal.open(place)
    with pytest.raises(JournalError, match="step 9999"), reading(place):
        pass


def test_replicas_that_start_at_once_migrate_once(server: Server) -> None:
    place = server.emptied()
    with ThreadPoolExecutor(4) as threads:
        for opened in list(threads.map(lambda _: Opened.at(place), range(4))):
            opened.close()
    assert asked(place, "SELECT count(*) FROM alembic_version") == 1


def test_a_database_without_a_journal_is_said_so(server: Server) -> None:
    with pytest.raises(JournalError, match="nothing is in it"), reading(server.emptied()):
        pass


def shape(path: Path) -> object:
    """Every table with what kind it is, its columns and its indices."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute(
            "SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        # What is part of a key is not null, whether or not that is said.
        asked = 'SELECT name, type, "notnull" OR pk, pk FROM pragma_table_info(?)'
        columns = {name: connection.execute(asked, (name,)).fetchall() for name, *_ in tables}
        return sorted(tables), columns


def test_a_new_journal_has_the_very_tables_of_one_that_was_taken_over(earlier: Path, tmp_path: Path) -> None:
    Journal.open(tmp_path / "new.db").close()
    Journal.open(earlier).close()
    assert shape(earlier) == shape(tmp_path / "new.db")
