"""The YAML files of a folder as texts, with a bound on everything and a finding for whatever cannot be read."""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from policy.catalogue import error
from policy.findings import Finding, Place
from policy.parse import place_at
from policy.words import shown

SUFFIXES: Final = (".yaml", ".yml")
MAX_FILES: Final = 20_000
MAX_BYTES: Final = 4 * 1024 * 1024
MAX_ALL_BYTES: Final = 64 * 1024 * 1024


class _UnreadableError(Exception):
    """One file is left out, for the reason in it."""

    def __init__(self, finding_id: str, message: str, hint: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.id, self.message, self.hint, self.place = finding_id, message, hint, place


def read_texts(
    folder: Path, skip: str = "", suffixes: Sequence[str] = SUFFIXES
) -> tuple[list[tuple[str, str]], list[Finding]]:
    """The files under a folder (by default YAML) as (name relative to it, text), sorted; and those that cannot be read.

    Hidden files and folders are left out (a mounted ConfigMap keeps its data in one, and links to it), as is the
    folder `skip`. Links are followed only to files inside.
    """
    texts: list[tuple[str, str]] = []
    findings: list[Finding] = []
    top = Place(folder.name or ".", 1, 1)
    try:
        paths = sorted(_paths(folder, skip, suffixes))
    except OSError as trouble:
        message = f"the folder cannot be read: {trouble.strerror}"
        return [], [error("GW0106", top, message, "check its name and permissions")]
    if len(paths) > MAX_FILES:
        message = f"the folder holds {len(paths)} such files, over {MAX_FILES}"
        return [], [error("GW0102", top, message, "give the folder of the policy alone")]
    left = MAX_ALL_BYTES
    for path in paths:
        name = path.relative_to(folder).as_posix()
        place = Place(name.encode(errors="replace").decode(), 1, 1)
        if place.file != name:
            findings.append(error("GW0107", place, "the file's name is not UTF-8", "rename it"))
            continue
        try:
            text = _read(path, folder, name, min(MAX_BYTES, left))
            texts.append((name, text))
            left -= len(text.encode())
        except _UnreadableError as trouble:
            findings.append(error(trouble.id, trouble.place or place, trouble.message, trouble.hint))
        except (OSError, RuntimeError) as trouble:
            message = f"the file cannot be read: {shown(getattr(trouble, 'strerror', None) or 'links in a circle')}"
            findings.append(error("GW0106", place, message, "check where it leads, and its permissions"))
    return texts, findings


def _paths(folder: Path, skip: str, suffixes: Sequence[str]) -> Iterator[Path]:
    """The files under a folder whose names end so; raises OSError when the folder itself cannot be listed."""
    for path in folder.iterdir():
        if path.name.startswith(".") or (skip and path.name == skip):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _paths(path, "", suffixes)
        elif path.suffix in suffixes:
            yield path


def _read(path: Path, folder: Path, name: str, at_most: int) -> str:
    """The file's text. Raises _UnreadableError, OSError and, for links in a circle before Python 3.13, RuntimeError."""
    if not path.resolve(strict=True).is_relative_to(folder.resolve(strict=True)):
        raise _UnreadableError("GW0106", "the file is a link that leads out of the folder", "put the file itself there")
    if not stat.S_ISREG(path.stat().st_mode):
        raise _UnreadableError("GW0106", "this is no regular file", "put a file there, or rename it")
    with path.open("rb") as file:
        data = file.read(at_most + 1)
    if len(data) > at_most:
        message = f"the file has more than the {at_most} bytes that may be read of it"
        raise _UnreadableError("GW0102", message, "split it, or take away what is no policy")
    try:
        return data.decode()
    except UnicodeDecodeError as trouble:
        before = data[: trouble.start].decode()
        place = place_at(name, before, len(before))
        raise _UnreadableError("GW0107", "the file is not UTF-8", "save it as UTF-8", place) from trouble
