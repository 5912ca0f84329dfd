"""The command as its own process, as people and scripts run it."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("gridwright")
EXAMPLE = ROOT / "examples" / "embedded"


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def gridwright(*arguments: str | Path, stdin: str = "", timeout_s: float = 120) -> Ran:
    """Run the command to its end, away from the repository's folder."""
    done = subprocess.run(
        [COMMAND, *arguments],
        cwd=ROOT.parent,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def on_a_terminal(*arguments: str | Path, answer: bytes = b"", waiting_for: bytes = b"", timeout_s: float = 120) -> Ran:
    """Run the command on a terminal of its own, and type the answer once the question stands there."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, *arguments], cwd=ROOT.parent, stdin=follower, stdout=follower, stderr=follower, start_new_session=True
    )
    os.close(follower)
    seen, deadline = b"", time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            part = os.read(leader, 65_536)
        except OSError:
            break
        if not part:
            break
        seen += part
        if answer and waiting_for in seen:
            if answer == b"\x03":
                process.send_signal(signal.SIGINT)
            else:
                os.write(leader, answer)
            answer = b""
    os.close(leader)
    try:
        return Ran(process.wait(10), seen.decode(), "")
    finally:
        process.kill()
