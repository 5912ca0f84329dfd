"""Children never outlive their parent: a small process that ends them when a pipe from the parent closes.

The parent may vanish in any way (exit, crash, kill -9, a second Ctrl-C): the kernel closes its end of the pipe, and the
reaper, in a session of its own and deaf to terminal signals, ends every process group that it was told of. A child
announces its own group through the same pipe before it becomes the program, so no moment exists in which the parent can
die and leave an unknown child.

Lines on the pipe: `add PGID`, `drop PGID`, `sweep PREFIX` (shared-memory files to delete at the end).
This file runs as a script of the standard library alone, so that it starts at once.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

TERM_GRACE_S = 2.0
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- POSIX shared memory of Triton's Python backend, not a temporary file
ANNOUNCE = 'echo "add $$" >&0; exec "$@" </dev/null'


class Reaper:
    """The parent's end: starts children and guarantees their end."""

    def __init__(self) -> None:
        """Start the reaper process."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._children: list[subprocess.Popen[bytes]] = []

    @property
    def pid(self) -> int:
        """The reaper's process id."""
        return self._process.pid

    def spawn(
        self, argv: Iterable[str | Path], *, env: Mapping[str, str], cwd: Path, log: Path
    ) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own, its output appended to `log`, known to the reaper before it runs."""
        with log.open("ab") as output:
            child = subprocess.Popen(
                ["/bin/sh", "-c", ANNOUNCE, "sh", *map(str, argv)],
                stdin=self._pipe(),
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
            )
        self._children.append(child)
        return child

    def end(self, process: subprocess.Popen[bytes], *, grace_s: float) -> None:
        """End a child and its whole group: TERM, after `grace_s` KILL; then forget it."""
        signal_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
        signal_group(process.pid, signal.SIGKILL)
        process.wait()
        self._tell(f"drop {process.pid}")

    def sweep(self, prefix: str) -> None:
        """Delete shared-memory files that begin with `prefix` at the end."""
        self._tell(f"sweep {prefix}")

    def close(self) -> None:
        """End every child that is left, and the reaper. Safe to call twice."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait()
        for child in self._children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(TERM_GRACE_S)

    def _pipe(self) -> int:
        assert self._process.stdin is not None  # noqa: S101 -- opened in __init__
        return self._process.stdin.fileno()

    def _tell(self, line: str) -> None:
        os.write(self._pipe(), f"{line}\n".encode())


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group. Returns whether the group still had a process."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def end_groups(groups: set[int], grace_s: float) -> None:
    """TERM every group, and KILL what is left of it after `grace_s`."""
    left = {group for group in groups if signal_group(group, signal.SIGTERM)}
    deadline = time.monotonic() + grace_s
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if signal_group(group, 0)}
    for group in left:
        signal_group(group, signal.SIGKILL)


def delete_shared_memory(prefix: str) -> None:
    """Delete the shared-memory files that killed servers left behind."""
    for file in SHARED_MEMORY.glob(f"{prefix}*"):
        with contextlib.suppress(FileNotFoundError):
            file.unlink()


def main(lines: Iterable[str]) -> None:
    """Keep the books until the pipe closes, then end everything that is in them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    prefixes: set[str] = set()
    for line in lines:
        verb, _, value = line.strip().partition(" ")
        if verb == "add":
            groups.add(int(value))
        elif verb == "drop":
            groups.discard(int(value))
        elif verb == "sweep" and value:
            prefixes.add(value)
    end_groups(groups, TERM_GRACE_S)
    for prefix in prefixes:
        delete_shared_memory(prefix)


if __name__ == "__main__":
    main(sys.stdin)
