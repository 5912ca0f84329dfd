"""The journal keeps what was decided, shows every tampering, and says why it cannot write."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.recording import encode
from controller.decision import State
from controller.journal.errors import JournalError, JournalHeldError
from controller.journal.place import Place
from controller.journal.reader import reading
from controller.journal.writer import Journal, Retention
from tests.journal.behind import asked, changed
from tests.loop.building import DOCUMENTS, keep, move, policy, snapshot


def write_turns(place: Place, turns: int, retention: Retention | None = None) -> State:
    state = State()
    journal = Journal.open(place, retention)
    for _ in range(turns):
        decision = move(state)
        journal.decided(policy(), snapshot(), state, decision)
        journal.acted(decision, "shrink", (), decision.state)
        journal.forget_oldest()
        state = decision.state
    journal.close()
    return state


def test_a_decision_is_read_back_with_all_that_it_was_made_from(place: Place) -> None:
    write_turns(place, 1)
    with reading(place) as reader:
        (decided,) = reader.decisions()
        assert (decided.decision, decided.snapshot, decided.state) == ("d1", snapshot(), State())
        assert bytes(decided.result) == encode(move(State()))
        assert reader.documents(decided) == DOCUMENTS


def test_a_document_is_stored_once_however_many_decisions_follow_it(place: Place) -> None:
    write_turns(place, 20)
    assert asked(place, "SELECT count(*) FROM document") == 2


def test_no_decision_that_is_to_be_kept_is_forgotten_however_large_the_file(place: Place) -> None:
    write_turns(place, 5)
    at = move(State()).at
    with closing(Journal.open(place, Retention(max_bytes=1, keep_entries=1))) as journal:
        journal.forget_oldest(at)
        with reading(place) as reader:
            assert len(list(reader.decisions())) == 5
        journal.forget_oldest(at + timedelta(seconds=1))
        with reading(place) as reader:
            assert len(list(reader.decisions())) <= 1


NOON = move(State()).at
HOUR = timedelta(hours=1)
UNSET = datetime(1970, 1, 1, tzinfo=UTC)


def write_at(place: Place, *instants: datetime) -> None:
    """Decisions noted at these instants, each by a process of its own, as the machine starts anew."""
    for at in instants:
        with closing(Journal.open(place)) as journal:
            journal.decided(policy(), snapshot(), State(), replace(move(State()), at=at))


def left_since(place: Place, kept_since: datetime) -> list[datetime]:
    """When what is left was noted once what need not be kept is forgotten."""
    with closing(Journal.open(place, Retention(max_bytes=1, keep_entries=1))) as journal:
        journal.forget_oldest(kept_since)
    with reading(place) as reader:
        assert not list(reader.verify_chain())
        return [decided.at for decided in reader.decisions()]


def test_what_was_noted_while_the_clock_ran_ahead_keeps_nothing_once_it_is_put_right(place: Place) -> None:
    ahead = NOON + timedelta(days=14)
    later = [NOON + HOUR + timedelta(minutes=30 * n) for n in range(6)]
    write_at(place, NOON, ahead, ahead + HOUR / 2, *later)
    assert left_since(place, later[0] + timedelta(minutes=1)) == later[1:]


def test_what_was_noted_while_the_clock_ran_ahead_is_kept_as_what_was_noted_next(place: Place) -> None:
    ahead = NOON + timedelta(days=14)
    every = [NOON, NOON + timedelta(minutes=5), ahead, NOON + HOUR, NOON + HOUR]
    write_at(place, *every)
    assert left_since(place, NOON + HOUR) == every[2:]


def test_by_a_clock_that_was_behind_for_a_while_nothing_is_forgotten_before_its_time(place: Place) -> None:
    every = [NOON, NOON + timedelta(minutes=5), UNSET, UNSET + HOUR / 2, NOON + HOUR, NOON + HOUR]
    write_at(place, *every)
    assert left_since(place, NOON) == every
    assert left_since(place, NOON + timedelta(minutes=6)) == every[2:], "these were noted at some time in that hour"


def test_what_was_noted_by_a_clock_that_was_a_week_behind_stays_when_what_is_before_it_goes(place: Place) -> None:
    week = timedelta(days=7)
    behind = [NOON + HOUR - week, NOON + HOUR - week + timedelta(minutes=5)]
    every = [NOON, NOON + timedelta(minutes=5), *behind, NOON + 2 * HOUR, NOON + 2 * HOUR]
    write_at(place, *every)
    for _ in range(2):
        assert left_since(place, NOON + HOUR) == every[2:], "they were noted at some time before the clock was right"


def test_what_a_clock_that_was_not_set_yet_has_noted_first_counts_from_when_it_was(place: Place) -> None:
    every = [UNSET, UNSET + HOUR / 2, NOON, NOON]
    write_at(place, *every)
    assert left_since(place, NOON) == every


def test_a_controller_that_was_stopped_for_long_forgets_as_one_that_was_not(place: Place) -> None:
    every = [NOON, NOON + HOUR / 2, NOON + 90 * HOUR, NOON + 90 * HOUR]
    write_at(place, *every)
    assert left_since(place, NOON + HOUR) == every[2:]


def test_the_loop_goes_on_from_the_last_wave_that_was_noted(place: Place) -> None:
    last = write_turns(place, 3)
    with reading(place) as reader:
        resumed = reader.resume()
    assert resumed is not None
    assert (resumed.state, resumed.documents) == (last, DOCUMENTS)


def test_a_decision_without_a_noted_wave_counts_as_not_carried_out(place: Place) -> None:
    state = write_turns(place, 1)
    journal = Journal.open(place)
    journal.decided(policy(), snapshot(), state, move(state))
    journal.close()
    with reading(place) as reader:
        resumed = reader.resume()
    assert resumed is not None
    assert resumed.state == state


def test_a_new_journal_has_nothing_to_go_on_from(place: Place) -> None:
    write_turns(place, 0)
    with reading(place) as reader:
        assert reader.resume() is None


def test_a_journal_as_written_verifies(place: Place) -> None:
    write_turns(place, 5)
    with reading(place) as reader:
        assert list(reader.verify_chain()) == []


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        (
            "UPDATE entry SET body = (SELECT body FROM entry WHERE sequence = 1) WHERE sequence = 3",
            "entry 3: it is not",
        ),
        ("UPDATE entry SET decision = 'x' WHERE sequence = 4", "entry 4: it is not what was written"),
        ("DELETE FROM entry WHERE sequence = 5", "entry 6: entries 5 to 5 are missing before it"),
        ("DELETE FROM entry WHERE sequence <= 2", "entry 3: it does not follow"),
        ("UPDATE entry SET previous = :zeros WHERE sequence = 2", "entry 2: it does not follow"),
        ("UPDATE document SET text = (SELECT text FROM document LIMIT 1)", "is not what was written"),
    ],
)
def test_tampering_shows(place: Place, tampering: str, told: str) -> None:
    write_turns(place, 4)
    changed(place, tampering, **({"zeros": bytes(32)} if ":zeros" in tampering else {}))
    with reading(place) as reader:
        findings = list(reader.verify_chain())
    assert told in findings[0].message


def test_a_removed_document_is_an_error_that_names_it(place: Place) -> None:
    write_turns(place, 1)
    changed(place, "DELETE FROM document")
    with reading(place) as reader, pytest.raises(JournalError, match=r"fleet\.yaml.*restore"):
        reader.documents(next(reader.decisions()))


def test_the_oldest_entries_go_when_the_file_is_full_and_the_rest_still_verifies(place: Place) -> None:
    state = write_turns(place, 300, Retention(max_bytes=150_000, keep_entries=100))
    with reading(place) as reader:
        kept = list(reader.decisions())
        assert 40 <= len(kept) < 300
        assert list(reader.verify_chain()) == []
        resumed = reader.resume()
    assert resumed is not None
    assert resumed.state == state
    if isinstance(place, Path):
        assert place.stat().st_size < 1_000_000


def test_what_was_removed_beyond_the_note_shows(place: Place) -> None:
    write_turns(place, 300, Retention(max_bytes=150_000, keep_entries=100))
    changed(place, "DELETE FROM entry WHERE sequence = (SELECT min(sequence) FROM entry)")
    with reading(place) as reader:
        assert "does not follow" in next(reader.verify_chain()).message


def test_a_second_controller_is_refused_and_told_who_holds_the_journal(path: Path) -> None:
    first = Journal.open(path)
    with pytest.raises(JournalHeldError, match=rf"process {os.getpid()}.*stop it first"):
        Journal.open(path)
    first.close()
    Journal.open(path).close()


def test_the_lock_of_a_killed_controller_is_free_again(path: Path) -> None:
    code = f"""
        import pathlib, sys, time
        from controller.journal.writer import Journal
        Journal.open(pathlib.Path({str(path)!r}))
        print("held", flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with pytest.raises(JournalHeldError):
            Journal.open(path)
        child.send_signal(signal.SIGKILL)
    Journal.open(path).close()


def test_a_locked_journal_refuses_and_writes_again_once_it_is_free(path: Path) -> None:
    journal = Journal.open(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match="another process keeps it locked"):
        journal.decided(policy(), snapshot(), State(), keep(State()))
    other.execute("ROLLBACK")
    other.close()
    journal.decided(policy(), snapshot(), State(), keep(State()))
    journal.close()


def test_a_file_that_may_not_grow_refuses_and_stays_whole(path: Path) -> None:
    code = f"""
        import pathlib, resource, signal
        from controller.decision import State
        from controller.journal.errors import JournalError
        from controller.journal.writer import Journal
        from tests.loop.building import keep, policy, snapshot
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        journal = Journal.open(pathlib.Path({str(path)!r}))
        journal.decided(policy(), snapshot(), State(), keep(State()))
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        try:
            for _ in range(1000):
                journal.decided(policy(), snapshot(), State(), keep(State()))
        except JournalError as error:
            print(error)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "free space" in result.stdout
    with reading(path) as reader:
        assert len(list(reader.decisions())) >= 1
        assert list(reader.verify_chain()) == []


def write_until_refused(journal: Journal) -> None:
    for _ in range(1000):
        journal.decided(policy(), snapshot(), State(), keep(State()))


def test_a_full_disk_refuses_and_recovers_when_there_is_room(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a file system of 256 KiB cannot be mounted without root; the file size limit is tested instead")
    try:
        journal = Journal.open(disk / "journal.db")
        (disk / "ballast").write_bytes(bytes(120 * 1024))
        with pytest.raises(JournalError, match=r"full|writing failed"):
            write_until_refused(journal)
        (disk / "ballast").unlink()
        journal.decided(policy(), snapshot(), State(), keep(State()))
        journal.close()
    finally:
        subprocess.run(["/bin/umount", str(disk)], check=True)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"not a database at all, but long enough to be one" * 40, "not a journal"), (b"", "of another program")],
)
def test_a_file_that_is_no_journal_is_said_so(path: Path, content: bytes, told: str) -> None:
    path.write_bytes(content)
    with pytest.raises(JournalError, match=told), reading(path):
        pass


def test_a_journal_of_a_later_release_is_left_alone(path: Path) -> None:
    write_turns(path, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(JournalError, match="written in format 7"):
        Journal.open(path)


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="see whether the folder exists"):
        Journal.open(tmp_path / "nowhere" / "journal.db")


def test_an_oversized_entry_is_refused_at_a_bounded_cost(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    write_turns(place, 1)
    monkeypatch.setattr("controller.journal.store.MAX_BODY_BYTES", 100)
    with reading(place) as reader, pytest.raises(JournalError, match="over 100 bytes"):
        list(reader.decisions())
