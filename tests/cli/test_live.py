"""The commands that need a fleet, on real Triton servers behind a real Envoy."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from process import COMMAND, EXAMPLE, ROOT, gridwright, on_a_terminal

from controller.connections.connections import Connections
from controller.connections.reading import read_connections, write_connections
from controller.embedded.fleet import embedded_fleet
from policy.source import load

pytestmark = [pytest.mark.triton, pytest.mark.envoy]


@pytest.fixture(scope="module")
def connections(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The connections document of a fleet on which nothing is loaded yet."""
    work = tmp_path_factory.mktemp("fleet")
    policy = load(EXAMPLE).policy
    assert policy is not None
    with embedded_fleet(policy, ROOT / ".venv-triton", work / "parts", paced=False) as fleet:
        path = work / "connections.json"
        write_connections(fleet.connections, path)
        yield path


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journal") / "journal.sqlite"


def ready(where: Connections, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://{where.api}/readyz", timeout=2).is_success:
                return True
        except httpx.TransportError:
            time.sleep(0.2)
    return False


def loaded(connections: Path) -> list[str]:
    """What any server holds."""
    names = []
    for server in read_connections(connections).by_node().values():
        index = httpx.post(f"http://{server.http}/v2/repository/index", json={"ready": True}, timeout=10).json()
        names += [item["name"] for item in index]
    return names


def test_a_no_changes_nothing(connections: Path, tmp_path: Path) -> None:
    arguments = ["apply", EXAMPLE, "--connections", connections, "--journal", tmp_path / "journal.sqlite"]
    ran = on_a_terminal(*arguments, answer=b"n\n", waiting_for=b"Carry this out?")
    assert ran.status == 1
    assert "Nothing was changed." in ran.out
    assert loaded(connections) == []


def test_an_interrupt_at_the_question_changes_nothing(connections: Path, tmp_path: Path) -> None:
    arguments = ["apply", EXAMPLE, "--connections", connections, "--journal", tmp_path / "journal.sqlite"]
    ran = on_a_terminal(*arguments, answer=b"\x03", waiting_for=b"Carry this out?")
    assert ran.status in {130, -signal.SIGINT}  # a shell shows 130 for both
    assert loaded(connections) == []


def test_a_plan_is_applied_and_then_nothing_is_left_to_change(connections: Path, journal: Path) -> None:
    before = gridwright("plan", EXAMPLE, "--connections", connections, "--journal", journal, "--json")
    assert before.status == 2, before.err
    assert {change["kind"] for change in before.json()["changes"]} == {"add"}

    applied = gridwright("apply", EXAMPLE, "--connections", connections, "--journal", journal, "--yes")
    assert applied.status == 0, applied.err
    assert "actions done" in applied.out

    after = gridwright("plan", EXAMPLE, "--connections", connections, "--journal", journal, "--json")
    assert after.status == 0, after.out
    assert after.json()["changes"] == []


def test_a_running_controller_is_ready_and_stops_when_told(connections: Path, journal: Path) -> None:
    arguments = [COMMAND, "run", EXAMPLE, "--connections", connections, "--journal", journal]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            is_ready = ready(read_connections(connections), 60)
            second = gridwright("run", EXAMPLE, "--connections", connections, "--journal", journal)
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert is_ready, out
    assert process.returncode == 0, out
    assert "turn 1: keep" in out
    assert second.status == 1
    assert "cannot be served at" in second.err


def test_what_was_decided_replays_bit_for_bit(journal: Path) -> None:
    replayed = gridwright("replay", journal, "--json")
    assert replayed.status == 0, replayed.out
    assert replayed.json()["same"]
    assert len(replayed.json()["decisions"]) >= 2


def test_a_journal_that_was_tampered_with_is_told(journal: Path, tmp_path: Path) -> None:
    copy = tmp_path / "journal.sqlite"
    code = (
        "import sqlite3, sys; s, d = map(sqlite3.connect, sys.argv[1:]); s.backup(d);"
        "d.execute(\"UPDATE entry SET decision = 'another' WHERE sequence = 1\"); d.commit()"
    )
    subprocess.run([sys.executable, "-c", code, journal, copy], check=True)
    replayed = gridwright("replay", copy)
    assert replayed.status == 1
    assert "GW3010" in replayed.out
