"""A copy that was taken while a controller wrote is whole, and a controller goes on from it."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from controller.cli.app import main
from controller.decision import State
from controller.journal.place import Place
from controller.journal.reader import reading
from controller.journal.writer import Journal
from tests.journal.behind import changed
from tests.journal.postgresql import Server
from tests.loop.building import keep, policy, snapshot


@contextmanager
def written_to(place: Place) -> Iterator[None]:
    """Have entries written while the block runs."""
    done, begun = threading.Event(), threading.Event()

    def write(journal: Journal) -> None:
        while not done.is_set():
            journal.decided(policy(), snapshot(), State(), keep(State()))
            begun.set()

    with closing(Journal.open(place)) as journal:
        writing = threading.Thread(target=write, args=(journal,))
        writing.start()
        begun.wait(30)
        try:
            yield
        finally:
            done.set()
            writing.join()


def goes_on_from(copy: Place, original: Place) -> None:
    with reading(copy) as reader:
        entries = list(reader.entries())
        assert list(reader.verify_chain()) == []
    with reading(original) as reader:
        assert list(reader.entries())[: len(entries)] == entries
    with closing(Journal.open(copy)) as journal:
        journal.decided(policy(), snapshot(), State(), keep(State()))
    with reading(copy) as reader:
        assert len(list(reader.entries())) == len(entries) + 1
        assert list(reader.verify_chain()) == []


def test_a_file_is_copied_while_it_is_written_to(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = path.with_name("copy.db")
    with written_to(path):
        assert main(["journal", "backup", str(path), str(copy)]) == 0
    assert "the chain is whole" in capsys.readouterr().out
    assert sorted(item.name for item in path.parent.glob("copy*")) == ["copy.db"]
    goes_on_from(copy, path)


def test_a_database_is_dumped_while_it_is_written_to_and_restored(server: Server) -> None:
    place, dump = server.emptied(), server.folder / "dump"
    with written_to(place):
        server.run(
            "pg_dump", "-h", "127.0.0.1", "-p", str(server.port), "-U", place.user, "-Fc", "-f", str(dump), place.name
        )
    copy = server.another("restored")
    server.run("pg_restore", "-h", "127.0.0.1", "-p", str(server.port), "-U", copy.user, "-d", copy.name, str(dump))
    goes_on_from(copy, place)


def test_a_copy_is_never_laid_over_what_is_there(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Journal.open(path).close()
    copy = path.with_name("copy.db")
    copy.write_text("kept")
    assert main(["journal", "backup", str(path), str(copy)]) == 1
    assert "give another name" in capsys.readouterr().err
    assert copy.read_text() == "kept"


def test_a_journal_that_is_not_whole_leaves_no_copy(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with written_to(path):
        pass
    changed(path, "UPDATE entry SET decision = 'x' WHERE sequence = 1")
    assert main(["journal", "backup", str(path), str(path.with_name("copy.db"))]) == 1
    assert "entry 1: it is not what was written" in capsys.readouterr().err
    assert list(path.parent.glob("copy*")) == []


def test_whether_a_journal_is_whole_is_told_of_both(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = place if isinstance(place, Path) else tmp_path / "connections.yaml"
    if not isinstance(place, Path):
        database = f"{{host: {place.host}, port: {place.port}, name: {place.name}, sslmode: disable}}"
        servers = '{a: {http: "127.0.0.1:1", grpc: "127.0.0.1:2", metrics: "127.0.0.1:3"}}'
        given.write_text(f"servers: {servers}\ndatabase: {database}\n")
    with closing(Journal.open(place)) as journal:
        journal.decided(policy(), snapshot(), State(), keep(State()))
    assert main(["journal", "verify", str(given)]) == 0
    assert "1 entries, the chain is whole" in capsys.readouterr().out
    changed(place, "UPDATE entry SET decision = 'x'")
    assert main(["journal", "verify", str(given)]) == 1
    assert "it is not what was written" in capsys.readouterr().err
