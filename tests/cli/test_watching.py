"""`check --watch` as a process beside which the documents are edited, and what it takes for a change."""

import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from process import COMMAND, EXAMPLE, gridwright

from controller.cli.watching import changed
from policy.findings import Finding, Level, Place

PATIENCE_S = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(EXAMPLE, tmp_path / "policy")


@pytest.fixture
def watcher(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [COMMAND, "check", folder, "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
        yield process
        process.kill()


def told(watcher: subprocess.Popen[bytes], end: str) -> list[str]:
    """The lines up to one that ends so."""
    assert watcher.stdout is not None
    seen, deadline = b"", time.monotonic() + PATIENCE_S
    while not seen.decode().endswith(f"{end}\n"):
        ready, _, _ = select.select([watcher.stdout], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"{end!r} never came after {seen.decode()!r}"
        seen += watcher.stdout.read(65_536)
    return seen.decode().splitlines()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_findings_come_and_go_with_edits(folder: Path, watcher: subprocess.Popen[bytes]) -> None:
    told(watcher, "no findings; watching until Ctrl-C")
    edit(folder / "pools.yaml", "kind: Pool", "kind: Pol")
    came = told(watcher, "1 error")
    assert came[0].startswith("+ pools.yaml:")
    assert "GW0201" in came[0]
    edit(folder / "pools.yaml", "kind: Pol\n", "kind: Pool\n")
    went = told(watcher, "no findings")
    assert went[0] == f"- {came[0].removeprefix('+ ')}"
    assert len(went) == 2


def test_evidence_is_watched_too_and_the_end_has_the_status_of_a_check(
    folder: Path, watcher: subprocess.Popen[bytes]
) -> None:
    told(watcher, "watching until Ctrl-C")
    (folder / "evidence" / "more.yaml").write_text("kind: [")
    assert told(watcher, "1 error")[0].startswith("+ evidence/more.yaml:")
    watcher.send_signal(signal.SIGINT)
    assert watcher.wait(PATIENCE_S) == 1


def test_only_text_can_be_watched() -> None:
    ran = gridwright("check", EXAMPLE, "--watch", "--json")
    assert (ran.status, ran.out) == (1, "")
    assert "--watch writes text" in ran.err


def finding(line: int, message: str = "wrong") -> Finding:
    return Finding("GW0204", Level.ERROR, message, "mend it", Place("a.yaml", line, 3))


def test_a_finding_that_only_moved_neither_came_nor_went() -> None:
    change = changed([finding(3), finding(9, "other")], [finding(4), finding(10, "other")])
    assert (change.came, change.went) == ((), ())


def test_the_same_words_twice_are_two_findings() -> None:
    change = changed([finding(3)], [finding(3), finding(5)])
    assert (change.came, change.went) == ((finding(5),), ())
    assert changed([finding(3), finding(5)], [finding(5)]).went == (finding(5),)
