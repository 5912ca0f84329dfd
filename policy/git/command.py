"""Running git on what others wrote: bounded in time and size, and deaf to every configuration but what stands here.

Nothing of a working tree is ever made, so that neither attributes nor filters nor hooks of a repository have a part in
it: git fetches packs, and tells of commits, trees and blobs.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

FETCH_S: Final = 60.0
LOCAL_S: Final = 20.0
MAX_ANSWER_BYTES: Final = 96 * 1024 * 1024
"""No more than this is taken into memory: all that a policy may hold, and some more."""
LOOK_UP_S: Final = 0.2
"""How soon a command that is to stop does."""
MAX_FILE_BYTES: Final = 256 * 1024 * 1024
"""No file that git writes grows beyond this, neither a pack nor an answer."""
MAX_MEMORY_BYTES: Final = 2 * 1024 * 1024 * 1024
_TOLD_CHARACTERS: Final = 300

_KEPT: Final = (
    *("PATH", "HOME", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "TMPDIR"),
    *("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"),
)
_SET: Final[Mapping[str, str]] = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oConnectTimeout=10",
}
_CONFIGURED: Final = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.askPass=",
    "core.bigFileThreshold=1m",
    "credential.helper=",
    "fetch.fsckObjects=true",
    "fetch.unpackLimit=1",
    "fetch.recurseSubmodules=false",
    "fetch.bundleURI=",
    "gc.autoDetach=false",
    "http.followRedirects=false",
    "pack.threads=1",
    "protocol.version=2",
    "transfer.bundleURI=false",
)
_LIMITED: Final = 'ulimit -f "$1" && ulimit -v "$2" && shift 2 && exec "$@"'


class CommandError(Exception):
    """git did not do it. The message is what it said, shortened."""


class Repository:
    """A bare repository of our own. `stop` may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End the command that runs, and have none run any more."""
        self._stopping.set()

    def git(
        self, arguments: Sequence[str], *, given: bytes = b"", seconds: float = LOCAL_S, settings: Sequence[str] = ()
    ) -> bytes:
        """What git writes on its standard output. Raises CommandError, and OSError when it cannot be started."""
        configured = [word for each in (*_CONFIGURED, *settings) for word in ("-c", each)]
        # POSIX counts files in blocks of 512 bytes, and shells the memory in KiB.
        limits = (str(MAX_FILE_BYTES // 512), str(MAX_MEMORY_BYTES // 1024))
        command = ("sh", "-c", _LIMITED, "sh", *limits, "git", f"--git-dir={self.path}", *configured, *arguments)
        with TemporaryFile() as answer, TemporaryFile() as complaint, TemporaryFile() as asked:
            asked.write(given)
            asked.seek(0)
            status = self._run(command, (asked, answer, complaint), seconds)
            if status:
                raise CommandError(_told(complaint) or f"git ended with status {status}")
            if answer.seek(0, os.SEEK_END) > MAX_ANSWER_BYTES:
                raise CommandError(f"it answers with more than {MAX_ANSWER_BYTES} bytes")
            answer.seek(0)
            return answer.read()

    def _run(self, command: Sequence[str], streams: tuple[IO[bytes], IO[bytes], IO[bytes]], seconds: float) -> int:
        asked, answer, complaint = streams
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | dict(_SET)
        process = subprocess.Popen(
            command, env=environment, stdin=asked, stdout=answer, stderr=complaint, start_new_session=True
        )
        deadline = time.monotonic() + seconds
        try:
            while not self._stopping.is_set() and time.monotonic() < deadline:
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(LOOK_UP_S)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)  # git's helpers, such as ssh, are in its group
                process.wait()
        raise CommandError("it was stopped" if self._stopping.is_set() else f"it was not done after {seconds:g} s")


def _told(complaint: IO[bytes]) -> str:
    """What git complained of, on one line of printable characters."""
    complaint.seek(0)
    text = " ".join(complaint.read(16 * 1024).decode(errors="replace").split())
    told = "".join(each if each.isprintable() else "?" for each in text)
    return told if len(told) <= _TOLD_CHARACTERS else f"{told[:_TOLD_CHARACTERS]} …"
