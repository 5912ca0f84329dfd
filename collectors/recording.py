"""Snapshots in a file of JSON lines, written and read back bit for bit, to replay what a controller saw."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from collectors.snapshot import Snapshot

MAX_LINE_BYTES: Final = 16 * 1024 * 1024

Value = TypeVar("Value")


class RecordingError(Exception):
    """A recording cannot be written or read. The message names the file and line, and what to do next."""


_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def encode(value: Any) -> bytes:
    """Canonical JSON of a frozen dataclass: equal values give equal bytes.

    Floats must be finite: JSON has no others.
    """
    return _ENCODER.encode(value)


def decode(data: bytes, kind: type[Value]) -> Value:
    """What `encode` was given.

    Raises:
        RecordingError: For anything else.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(
            f"not a recorded {kind.__name__}: {error} (read it with the release that wrote it)"
        ) from error


def append(file: Path, snapshot: Snapshot) -> None:
    """Add a snapshot to the end of the file, in one write.

    Raises:
        RecordingError: When it cannot be written, with the system's error chained.
    """
    try:
        with file.open("ab") as stream:
            stream.write(encode(snapshot) + b"\n")
    except OSError as error:
        raise RecordingError(f"{file}: cannot be written: {error.strerror} (free space, or choose another)") from error


def read(file: Path) -> Iterator[Snapshot]:
    """The snapshots of the file, in order.

    Raises:
        RecordingError: At the first line that is not a whole snapshot, as the last one is after a crash; those before
            it have been yielded.
    """
    try:
        with file.open("rb") as stream:
            number = 0
            while line := stream.readline(MAX_LINE_BYTES):
                number += 1
                if not line.endswith(b"\n"):
                    raise RecordingError(f"{file}:{number}: the line is cut off (use the snapshots before it)")
                yield _snapshot(line, file, number)
    except OSError as error:
        raise RecordingError(f"{file}: cannot be read: {error.strerror} (check the path and its rights)") from error


def _snapshot(line: bytes, file: Path, number: int) -> Snapshot:
    try:
        return decode(line, Snapshot)
    except RecordingError as error:
        raise RecordingError(f"{file}:{number}: {error}") from error
