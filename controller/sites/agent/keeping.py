"""What an agent keeps in its folder: whole files, readable by nobody else, replaced in one step.

What it knows has the version of its form, so that a release reads what those before it have kept, and says so where it
cannot read what a later one has.

AgentError
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from collectors.recording import RecordingError, decode, encode
from controller.sites.agent.state import AgentState

MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
STATE: Final = "state.json"
VERSION: Final = 1
"""Of the form of what is kept. It grows with each change by which an earlier release would read it wrongly.

Version 0 is the state alone, as it was kept before forms had versions.
"""

Value = TypeVar("Value")


class AgentError(Exception):
    """An agent cannot go on. The message tells what is wrong and, after a semicolon, the next step."""


def open_folder(folder: Path) -> None:
    """Have the folder there, for this account alone. Raises AgentError."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            raise AgentError(f"{folder} is open to other accounts, and holds a key; `chmod 700 {folder}`")
    except OSError as error:
        raise AgentError(f"{folder} cannot be used ({error.strerror}); give a folder that you own") from error


def replace_file(file: Path, data: bytes) -> None:
    """Put a file there that is whole and on the disk, or leave the one that was. Raises AgentError."""
    partial = file.with_name(f"{file.name}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.rename(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise AgentError(f"{file} cannot be written ({error.strerror}); make room, or mend its permissions") from error


def read_file(file: Path, kind: type[Value]) -> Value | None:
    """What was kept in a file, as JSON; None when it is not there. Raises AgentError."""
    try:
        return decode(file.read_bytes(), kind)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AgentError(f"{file} cannot be read ({error.strerror}); mend its permissions") from error
    except RecordingError as error:
        raise AgentError(f"{file}: {error}; move it away, and the agent waits for the hub") from error


@dataclass(frozen=True, slots=True)
class Kept:
    """What an agent knows, with the version of how that is written."""

    version: int
    state: AgentState


@dataclass(frozen=True, slots=True)
class Form:
    """The version alone, of a file whose form is not known yet."""

    version: int = 0


def keep_state(folder: Path, state: AgentState) -> None:
    """Keep what the agent knows. Raises AgentError."""
    replace_file(folder / STATE, encode(Kept(VERSION, state)))


def kept_state(folder: Path, site: str) -> AgentState | None:
    """What the agent knew when it ended, under this release or one before; None at its first start. Raises AgentError.

    Fields that a release has added have a default, so that what was kept before is read as it is.
    """
    file = folder / STATE
    form = read_file(file, Form)
    if form is None:
        return None
    if form.version > VERSION:
        raise AgentError(
            f"{file} is of a later release (form {form.version}, and this one reads up to {VERSION}); start that one, "
            f"which keeps to the plan, or move {STATE} away, and nothing is withdrawn before the hub is reached"
        )
    kept = read_file(file, Kept) if form.version else None
    state = kept.state if kept else read_file(file, AgentState)
    if state is not None and state.site != site:
        raise AgentError(f"{folder} is that of an agent of {state.site}; give each site's agent a folder of its own")
    return state
