"""What can go wrong while real parts start, run and stop.

EmbeddedError
├── PartMissingError      a binary, backend or network is not in its environment
├── PartFailedError       a started part ended or did not become ready
└── RequestRefusedError   a running part refused what it was asked
"""

from pathlib import Path

LOG_TAIL_BYTES = 2000


class EmbeddedError(Exception):
    """Root of the fleet's errors."""


class PartMissingError(EmbeddedError):
    """A file that a part needs is not there; the message names it and the step that brings it."""


class PartFailedError(EmbeddedError):
    """A started part is not serving; the message ends with the tail of its log."""


class RequestRefusedError(EmbeddedError):
    """A part answered a request with an error; the message quotes it."""


def log_tail(log: Path) -> str:
    """The last lines of a log, for error messages; empty when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - LOG_TAIL_BYTES))
        return file.read().decode(errors="replace")
