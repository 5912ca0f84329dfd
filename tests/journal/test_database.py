"""A journal in PostgreSQL has one writer, loses nothing when the server dies, and tells no password to anybody."""

import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from opentelemetry.trace import NoOpTracer

from controller.acting.dry_run import DryRun
from controller.decision import State
from controller.journal import postgres
from controller.journal.errors import JournalError, JournalHeldError
from controller.journal.place import Database, Place
from controller.journal.reader import reading
from controller.journal.series import SeriesStore
from controller.journal.writer import Journal
from controller.loop.stopping import Stopping
from controller.loop.turn import Memory, turn
from controller.telemetry.phases import Phases
from tests.journal.postgresql import Server, serving
from tests.journal.tls_front import tls_front
from tests.loop.building import keep, policy, snapshot
from tests.loop.wired import wiring_of

PASSWORD = "kept-from-everybody"  # noqa: S105 - of this test's server


@pytest.fixture
def database(server: Server) -> Database:
    return server.emptied()


def noted(journal: Journal) -> str:
    return journal.decided(policy(), snapshot(), State(), keep(State())).hex()


def digests(place: Place) -> list[str]:
    with reading(place) as reader:
        assert list(reader.verify_chain()) == []
        return [entry.digest.hex() for entry in reader.entries()]


def sever(server: Server) -> None:
    """End every session."""
    server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'gridwright'")


def test_a_second_controller_is_refused_until_the_first_one_is_gone(database: Database) -> None:
    with closing(Journal.open(database)) as first:
        with pytest.raises(JournalHeldError, match=r"another controller.*stop it first"):
            Journal.open(database)
        noted(first)
    Journal.open(database).close()


def test_a_lock_that_is_let_go_of_a_little_later_is_waited_for(database: Database) -> None:
    ending = threading.Timer(0.5, Journal.open(database).close)
    ending.start()
    with closing(Journal.open(database)) as journal:
        written = [noted(journal)]
        assert digests(database) == written
    ending.join()


def test_a_leader_takes_the_journal_from_one_that_stands_still_and_writes_no_more(database: Database) -> None:
    with closing(Journal.open(database, lead=lambda: "1.a")) as former:
        written = [noted(former)]
        with closing(Journal.open(database, lead=lambda: "2.b")) as leader:
            written.append(noted(leader))
            with pytest.raises(JournalHeldError, match="may write no more"):
                noted(former)
            written.append(noted(leader))
        assert digests(database) == written


def test_whatever_a_former_leader_writes_meanwhile_stands_before_all_of_the_new_one(database: Database) -> None:
    former_wrote, refused = list[str](), list[JournalError]()
    begun = threading.Event()

    def write(former: Journal) -> None:
        while not refused:
            try:
                former_wrote.append(noted(former))
                begun.set()
            except JournalError as error:
                refused.append(error)

    with closing(Journal.open(database, lead=lambda: "1.a")) as former:
        writing = threading.Thread(target=write, args=(former,))
        writing.start()
        begun.wait(30)
        with closing(Journal.open(database, lead=lambda: "2.b")) as leader:
            leader_wrote = [noted(leader) for _ in range(10)]
            writing.join()
    found = digests(database)
    assert found[-10:] == leader_wrote
    # Of the former one the last may be there without its being told, as its session was ended.
    assert found[: len(former_wrote)] == former_wrote
    assert len(found) <= len(former_wrote) + 11


def test_a_deposed_leader_that_is_first_to_come_back_is_refused(database: Database, server: Server) -> None:
    with (
        closing(Journal.open(database, lead=lambda: "1.a")) as former,
        closing(Journal.open(database, lead=lambda: "2.b")) as leader,
    ):
        written = [noted(leader)]
        sever(server)
        with pytest.raises(JournalHeldError):
            noted(former)
        written.append(noted(leader))
        assert digests(database) == written


def test_who_no_longer_leads_when_it_has_the_journal_leaves_it_to_the_other(database: Database) -> None:
    terms = iter(["2.b", "2.b"])

    def deposed() -> str:
        try:
            return next(terms)
        except StopIteration:
            raise JournalHeldError("another replica leads") from None

    with closing(Journal.open(database)) as journal:
        with pytest.raises(JournalHeldError, match="another replica leads"):
            Journal.open(database, lead=deposed)
        noted(journal)


def test_counts_of_a_deposed_leader_are_refused(place: Place) -> None:
    with closing(Journal.open(place)) as journal, closing(SeriesStore.open(place, "another")) as series:
        with pytest.raises(JournalHeldError):
            series.keep([])
        with closing(SeriesStore.open(place, journal.term)) as own:
            own.keep([])


def test_a_session_that_was_ended_is_opened_anew_and_holds_the_journal(database: Database, server: Server) -> None:
    with closing(Journal.open(database)) as journal:
        written = [noted(journal)]
        sever(server)
        written.append(noted(journal))
        with pytest.raises(JournalHeldError):
            Journal.open(database)
        assert digests(database) == written


def test_an_answer_that_does_not_come_is_a_refusal_and_the_next_session_goes_on(
    database: Database, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ANSWER_WITHIN_S", 1.0)
    with closing(Journal.open(database)) as journal:
        written = [noted(journal)]
        ((session,),) = server.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'gridwright'")
        os.kill(session, signal.SIGSTOP)
        with pytest.raises(JournalError, match="cannot be reached"):
            noted(journal)
        os.kill(session, signal.SIGCONT)
        written.append(noted(journal))
        assert digests(database) == written


def test_what_was_written_outlives_a_server_that_is_killed_while_it_writes() -> None:
    with serving() as server:
        database, written, refused = server.emptied(), [], []
        stop, again = threading.Event(), threading.Event()

        def write(journal: Journal) -> None:
            while not stop.is_set():
                try:
                    written.append(noted(journal))
                except JournalError as error:
                    refused.append(str(error))
                else:
                    if refused:
                        again.set()

        with closing(Journal.open(database)) as journal:
            noting = threading.Thread(target=write, args=(journal,))
            noting.start()
            while len(written) < 20:
                assert noting.is_alive()
            server.kill()
            server.start()
            assert again.wait(30)
            stop.set()
            noting.join()
            found = digests(database)
        # One that was under way may be there though its writer was never told, and then nothing was done because of it.
        assert set(written) <= set(found)
        assert len(found) <= len(written) + 1
        assert "cannot be reached" in refused[-1] or "stopping or starting" in refused[-1]


async def test_the_loop_acts_on_nothing_while_the_server_is_away_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    dry = DryRun()
    with serving() as server, closing(Journal.open(server.emptied())) as journal:
        wiring = wiring_of(tmp_path, journal, dry)
        first = await turn(wiring, Memory(), Phases(NoOpTracer()), Stopping())
        done = len(dry.noted)
        assert done
        server.kill()
        away = await turn(wiring, first.memory, Phases(NoOpTracer()), Stopping())
        assert [finding.id for finding in away.carried.findings] == ["GW3003"]
        assert (len(dry.noted), away.memory.state) == (done, first.memory.state)
        server.start()
        back = await turn(wiring, away.memory, Phases(NoOpTracer()), Stopping())
        assert back.digest
        assert len(dry.noted) > done
        assert isinstance(journal.place, Database)
        assert digests(journal.place)


@pytest.fixture
def secured(server: Server, database: Database, tmp_path: Path) -> Iterator[Database]:
    """The same database for a user who needs a password, over TLS."""
    server.execute("DROP ROLE IF EXISTS kept")
    server.execute(f"CREATE ROLE kept LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with tls_front(context, server.port) as port:
        files = {"password_file": tmp_path / "password", "ca_file": tmp_path / "ca.pem"}
        yield replace(database, port=port, user="kept", is_tls=True, **files)


def test_a_server_that_shows_who_it_is_gets_the_password(secured: Database) -> None:
    with closing(Journal.open(secured)) as journal:
        noted(journal)
    assert len(digests(secured)) == 1


def test_a_server_that_another_authority_speaks_for_is_refused(secured: Database) -> None:
    with pytest.raises(JournalError, match=r"does not show who it is.*`caFile`"):
        Journal.open(replace(secured, ca_file=None))


def test_a_server_of_another_name_is_refused(secured: Database) -> None:
    with pytest.raises(JournalError, match="does not show who it is"):
        Journal.open(replace(secured, host="localhost"))


def test_a_server_without_tls_is_refused(database: Database) -> None:
    with pytest.raises(JournalError, match="Server refuses SSL"):
        Journal.open(replace(database, is_tls=True))


def test_a_password_that_no_server_takes_is_said_so_without_it(secured: Database, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("with\x07bell")
    with pytest.raises(JournalError, match="password's file") as caught:
        Journal.open(secured)
    assert "bell" not in str(caught.value)


def test_a_wrong_password_is_said_so_without_it(secured: Database, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("another-word")
    with pytest.raises(JournalError, match="does not let this user in") as caught:
        Journal.open(secured)
    error: BaseException | None = caught.value
    while error is not None:
        assert "another-word" not in f"{error!r}{error}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "nowhere"}, "no such database.*create it"),
        ({"port": 1}, "cannot be reached.*refused"),
        ({"host": "/nowhere"}, "cannot be reached.*No such file"),
        ({"password_file": Path("/nowhere/password")}, "cannot be read from /nowhere/password"),
        ({"is_tls": True, "ca_file": Path("/nowhere/ca.pem")}, "no certificates.*`caFile`"),
        ({"user": "stranger"}, "does not let this user in"),
    ],
)
def test_what_keeps_it_from_the_database_is_said_with_the_next_step(
    database: Database, change: dict[str, object], told: str
) -> None:
    with pytest.raises(JournalError, match=told):
        Journal.open(replace(database, **change))


def test_the_folder_of_a_socket_is_taken_for_a_host(server: Server, database: Database) -> None:
    with pytest.raises(JournalError, match="does not let this user in"):
        Journal.open(replace(database, host=str(server.folder)))


def test_a_refusal_is_told_also_where_the_server_hangs_up_at_once(tmp_path: Path) -> None:
    refusal = b"SFATAL\0C28000\0Mno entry for this host\0\0"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / ".s.PGSQL.5432"))
        listening.listen()

        def refuse() -> None:
            called, _ = listening.accept()
            with called:
                called.recv(1024)
                called.sendall(b"E" + (len(refusal) + 4).to_bytes(4, "big") + refusal)

        refusing = threading.Thread(target=refuse)
        refusing.start()
        with pytest.raises(JournalError, match=r"does not let this user in \(no entry for this host\)"):
            Journal.open(Database(str(tmp_path), 5432, "gridwright", "gridwright", is_tls=False))
        refusing.join()
