"""`gridwright up` as a process of its own: what it starts, and that nothing outlives it however it ends."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from process import COMMAND, EXAMPLE, gridwright

START_S = 120
END_S = 30


def left_of(work: Path) -> list[str]:
    """The command lines of living processes that were started for a work folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(work) in line:
                found.append(line)
    return found


def within(seconds: float, reached: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def running(work: Path, *, until: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command with its output in `up.log`, once that shows `until`."""
    work.mkdir()
    log = work / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [COMMAND, "up", EXAMPLE, "--pace", "none", "--work", work], stdout=output, stderr=output
        )
    try:
        assert within(START_S, lambda: until in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.triton
@pytest.mark.envoy
def test_it_serves_until_an_interrupt_and_leaves_nothing_behind(tmp_path: Path) -> None:
    work = tmp_path / "up"
    with running(work, until="its load begins") as process:
        connections = work / "connections.json"
        planned = gridwright(
            "plan", EXAMPLE, "--connections", connections, "--journal", work / "journal.sqlite", "--json"
        )
        assert planned.status in {0, 2}, planned.err
        again = gridwright("up", EXAMPLE, "--work", work)
        assert again.status == 1
        assert "another `gridwright up` uses" in again.err
        assert any("tritonserver" in line for line in left_of(work))
        process.send_signal(signal.SIGINT)
        assert process.wait(END_S) == 0
    assert within(END_S, lambda: not left_of(work)), left_of(work)
    assert re.search(r"turn \d+: \w+ \$", (work / "up.log").read_text())


@pytest.mark.triton
@pytest.mark.envoy
@pytest.mark.parametrize(
    "signals",
    [
        pytest.param((signal.SIGINT, signal.SIGINT), id="a second interrupt"),
        pytest.param((signal.SIGKILL,), id="a crash"),
    ],
)
def test_nothing_outlives_an_abrupt_end(tmp_path: Path, signals: tuple[signal.Signals, ...]) -> None:
    work = tmp_path / "up"
    with running(work, until="Serving http://") as process:
        assert left_of(work)
        for number in signals:
            process.send_signal(number)
        process.wait(END_S)
    assert within(END_S, lambda: not left_of(work)), left_of(work)


@pytest.mark.triton
def test_an_interrupt_while_the_servers_start_leaves_nothing_behind(tmp_path: Path) -> None:
    work = tmp_path / "up"
    work.mkdir()
    process = subprocess.Popen(
        [COMMAND, "up", EXAMPLE, "--work", work], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        assert within(START_S, lambda: any("tritonserver" in line for line in left_of(work)))
        process.send_signal(signal.SIGINT)
        assert process.wait(END_S) != 0
    finally:
        process.kill()
        process.wait()
    assert within(END_S, lambda: not left_of(work)), left_of(work)


def test_a_broken_policy_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "service.yaml").write_text("kind: Servce\n")
    ran = gridwright("up", tmp_path / "policy", "--work", tmp_path / "up")
    assert ran.status == 1
    assert "`Service`" in ran.err
    assert not (tmp_path / "up").exists()


def test_models_that_nothing_here_can_serve_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    folder.mkdir()
    for file in EXAMPLE.glob("*.yaml"):
        (folder / file.name).write_text(file.read_text().replace("silero-vad", "my-own-model"))
    ran = gridwright("up", folder, "--work", tmp_path / "up")
    assert ran.status == 1
    assert "the embedded fleet has no network for my-own-model/fp16" in ran.err
    assert "next:" in ran.err
