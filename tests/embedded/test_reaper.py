"""Children end with their parent, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from controller.embedded.reaper import SHARED_MEMORY, Reaper

PATIENCE_S = 20.0
PARENT = """
import os, sys, time
from pathlib import Path
from controller.embedded.reaper import Reaper
reaper = Reaper()
reaper.sweep(sys.argv[2])
work = Path(sys.argv[1])
argv = ["/bin/sh", "-c", sys.argv[3]]
child = reaper.spawn(argv, env={"PATH": os.defpath}, cwd=work, log=work / "child.log")
while len((work / "child.log").read_text().split()) < 2:
    time.sleep(0.02)
print(child.pid, reaper.pid, flush=True)
time.sleep(600)
"""
WITH_A_GRANDCHILD = "sleep 600 & echo $$ $!; wait"
DEAF_TO_TERM = "trap '' TERM; sleep 600 & echo $$ $!; while :; do sleep 1; done"


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def gone(pids: list[int]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(alive(pid) for pid in pids)


def parent(work: Path, script: str, prefix: str = "gridwright-test-none") -> tuple[subprocess.Popen[str], list[int]]:
    """A process with a reaper, a child and a grandchild; the process ids of all but itself."""
    argv = [sys.executable, "-c", PARENT, str(work), prefix, script]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    child, reaper = map(int, process.stdout.readline().split())
    process.stdout.close()
    family = [int(pid) for pid in (work / "child.log").read_text().split()]
    assert family[0] == child
    return process, [*family, reaper]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_children_and_grandchildren_of_an_ended_parent_are_gone(tmp_path: Path, how: signal.Signals) -> None:
    process, family = parent(tmp_path, WITH_A_GRANDCHILD)
    assert all(alive(pid) for pid in family)
    process.send_signal(how)
    process.wait()
    assert gone(family)


def test_a_child_that_ignores_term_is_killed(tmp_path: Path) -> None:
    process, family = parent(tmp_path, DEAF_TO_TERM)
    process.kill()
    process.wait()
    assert gone(family)


def test_a_terminal_that_interrupts_the_group_does_not_interrupt_the_reaper(tmp_path: Path) -> None:
    process, family = parent(tmp_path, WITH_A_GRANDCHILD)
    os.killpg(process.pid, signal.SIGINT)
    process.wait()
    assert gone(family)


def test_shared_memory_of_killed_children_is_deleted(tmp_path: Path) -> None:
    prefix = f"gridwright-test-{os.getpid()}-"
    ours, other = SHARED_MEMORY / f"{prefix}region", SHARED_MEMORY / f"other-{prefix}region"
    ours.touch()
    other.touch()
    try:
        process, family = parent(tmp_path, WITH_A_GRANDCHILD, prefix)
        process.kill()
        process.wait()
        assert gone(family)
        assert (ours.exists(), other.exists()) == (False, True)
    finally:
        ours.unlink(missing_ok=True)
        other.unlink()


def test_closing_ends_what_is_left_and_leaves_alone_what_was_forgotten(tmp_path: Path) -> None:
    reaper = Reaper()
    log = tmp_path / "log"
    ended, left = (
        reaper.spawn(["/bin/sleep", "600"], env={"PATH": os.defpath}, cwd=tmp_path, log=log) for _ in range(2)
    )
    reaper.end(ended, grace_s=PATIENCE_S)
    assert not alive(ended.pid)
    assert alive(left.pid)
    reaper.close()
    reaper.close()
    left.wait(PATIENCE_S)
    assert not alive(reaper.pid)
