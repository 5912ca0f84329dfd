"""What was measured so far, in a file, so that a run that was cut short goes on where it stopped."""

from pathlib import Path
from typing import Final

import msgspec

from controller.profiling.measured import Progress

MAX_BYTES: Final = 1024 * 1024


class StateError(Exception):
    """The file is no state, or that of something else; the message says what to do."""


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The points, and what they are of: `subject` is the model, its server and its configuration."""

    subject: str
    progress: Progress


def read_state(path: Path, subject: str) -> Progress:
    """The points in a file; none when there is no file. Raises StateError when it is of another subject."""
    if not path.exists():
        return Progress()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise StateError(f"{path} is too large to be a state of profiling: give another file")
        state = msgspec.json.decode(path.read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path} is not a state of profiling ({error}): delete it or give another file") from error
    if state.subject != subject:
        raise StateError(f"{path} holds points of {state.subject}, not of {subject}: delete it or give another file")
    return state.progress


def write_state(path: Path, subject: str, progress: Progress) -> None:
    """Replace the file at once, so that it is whole whenever the program ends."""
    whole = path.with_name(path.name + ".new")
    whole.write_bytes(msgspec.json.encode(State(subject, progress)))
    whole.replace(path)
