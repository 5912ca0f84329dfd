"""The files of a folder, most often YAML, with a bound on everything and a finding for whatever cannot be read."""

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from os import DirEntry
from pathlib import Path
from typing import Final, Generic, NamedTuple, TypeVar

from policy.catalogue import error
from policy.findings import Finding, Place
from policy.parse import place_at
from policy.words import shown

SUFFIXES: Final = (".yaml", ".yml")
MAX_FILES: Final = 20_000
MAX_DEPTH: Final = 32
MAX_BYTES: Final = 4 * 1024 * 1024
MAX_ALL_BYTES: Final = 64 * 1024 * 1024
PIECE_BYTES: Final = 64 * 1024
SETTLED_NS: Final = 100_000_000
"""A change longer ago than this cannot fall into the same tick of the file system's clock as one that is to come."""


class _UnreadableError(Exception):
    """One file is left out, for the reason in it."""

    def __init__(self, finding_id: str, message: str, hint: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.id, self.message, self.hint, self.place = finding_id, message, hint, place


Content = TypeVar("Content")


class _Seen(NamedTuple, Generic[Content]):
    """A file as it was read: what the file system tells of it, how many bytes it has, and what stands in it."""

    stamp: tuple[int, int, int, int]
    size: int
    content: Content


def read_texts(
    folder: Path, skip: str = "", suffixes: tuple[str, ...] = SUFFIXES
) -> tuple[list[tuple[str, str]], list[Finding]]:
    """The files under a folder (by default YAML) as (name relative to it, text), sorted; and those that cannot be read.

    Hidden files and folders are left out (a mounted ConfigMap keeps its data in one, and links to it), as is the
    folder `skip`. Links are followed only to what stands inside.
    """
    return Folder(folder, as_text, skip, suffixes).read()


def read_octets(folder: Path, suffixes: tuple[str, ...]) -> tuple[list[tuple[str, bytes]], list[Finding]]:
    """The files under a folder whose names end so, as `read_texts` reads them, but as they are."""
    return Folder(folder, as_octets, suffixes=suffixes).read()


def names_not_read(folder: Path, suffixes: tuple[str, ...]) -> list[str]:
    """The first MAX_FILES names, from the folder on, of its files that end with none of these; hidden ones left out.

    Nothing where the folder cannot be listed, which reading it tells.
    """
    try:
        entries = _entries(folder, folder.resolve(strict=True), "", ("",))
        names = [name for name, _ in entries if not name.endswith(suffixes)]
    except (OSError, _UnreadableError):
        return []
    return [_shown_name(name) for name in sorted(names)[:MAX_FILES]]


class Folder(Generic[Content]):
    """A folder that is read again and again, as `read_texts` or `read_octets` reads it once.

    A file whose inode, size and times of change are as before is not read anew, unless it changed just before it was
    read: the file system tells times in ticks, and a second change within one would go unnoticed.
    """

    def __init__(
        self,
        path: Path,
        content: Callable[[str, bytes], Content],
        skip: str = "",
        suffixes: tuple[str, ...] = SUFFIXES,
    ) -> None:
        self._path = path
        self._content = content
        self._skip = skip
        self._suffixes = suffixes
        self._seen: dict[str, _Seen[Content]] = {}

    def read(self) -> tuple[list[tuple[str, Content]], list[Finding]]:
        """What the folder holds now."""
        top = Place(self._path.name or ".", 1, 1)
        try:
            inside = self._path.resolve(strict=True)
            entries = sorted(_entries(self._path, inside, self._skip, self._suffixes), key=lambda named: named[0])
        except OSError as trouble:
            message = f"the folder cannot be read: {trouble.strerror}"
            return [], [error("GW0106", top, message, "check its name and permissions")]
        except _UnreadableError as trouble:
            return [], [error(trouble.id, top, trouble.message, trouble.hint)]
        if len(entries) > MAX_FILES:
            message = f"the folder holds {len(entries)} such files, over {MAX_FILES}"
            return [], [error("GW0102", top, message, "give the folder of the policy alone")]
        return self._files(entries, inside)

    def _files(
        self, entries: Iterable[tuple[str, DirEntry[str]]], inside: Path
    ) -> tuple[list[tuple[str, Content]], list[Finding]]:
        seen: dict[str, _Seen[Content]] = {}
        contents: list[tuple[str, Content]] = []
        findings: list[Finding] = []
        left = MAX_ALL_BYTES
        settled_ns = time.time_ns() - SETTLED_NS
        for name, entry in entries:
            try:
                file = self._file(name, entry, inside, min(MAX_BYTES, left))
            except _UnreadableError as trouble:
                place = trouble.place or Place(_shown_name(name), 1, 1)
                findings.append(error(trouble.id, place, trouble.message, trouble.hint))
            except (OSError, RuntimeError) as trouble:
                why = getattr(trouble, "strerror", None) or "links in a circle"
                message, place = f"the file cannot be read: {shown(why)}", Place(_shown_name(name), 1, 1)
                findings.append(error("GW0106", place, message, "check where it leads, and its permissions"))
            else:
                left -= file.size
                contents.append((name, file.content))
                if max(file.stamp[2:]) < settled_ns:
                    seen[name] = file
        self._seen = seen
        return contents, findings

    def _file(self, name: str, entry: DirEntry[str], inside: Path, at_most: int) -> _Seen[Content]:
        """The file, which is the one before when nothing has changed.

        Raises _UnreadableError, OSError and, for links in a circle before Python 3.13, RuntimeError.
        """
        before, told = self._seen.get(name), _told(name, entry, inside)
        stamp = (told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)
        if before and before.stamp == stamp and before.size <= at_most:
            return before
        data = _at_most(Path(entry.path), at_most + 1)
        if len(data) > at_most:
            message = f"the file has more than the {at_most} bytes that may be read of it"
            raise _UnreadableError("GW0102", message, "split it, or take away what is no policy")
        return _Seen(stamp, len(data), self._content(name, data))


def _entries(
    folder: Path, inside: Path, skip: str, suffixes: tuple[str, ...], *, above: str = "", depth: int = 1
) -> Iterator[tuple[str, DirEntry[str]]]:
    """The files under a folder whose names end so, each with its name from the top.

    Links to folders are followed where these lie inside, as a volume of Kubernetes has them; those that lead out or
    nowhere come as they are, for they cannot be read. Raises OSError when a folder cannot be listed, and
    _UnreadableError where folders stand in folders without an end.
    """
    if depth > MAX_DEPTH:
        raise _UnreadableError(
            "GW0102", f"folders stand in folders, over {MAX_DEPTH} deep", "move the files further up"
        )
    with os.scandir(folder) as listed:
        entries = list(listed)
    for entry in entries:
        if entry.name.startswith(".") or (skip and entry.name == skip):
            continue
        name = f"{above}{entry.name}"
        leads_out = entry.is_symlink() and not _is_inside(Path(entry.path), inside)
        if entry.is_dir() and not leads_out:
            yield from _entries(Path(entry.path), inside, "", suffixes, above=f"{name}/", depth=depth + 1)
        elif entry.name.endswith(suffixes) or (leads_out and not Path(entry.path).is_file()):
            yield name, entry


def _is_inside(link: Path, inside: Path) -> bool:
    """Whether a link leads to something within the folder; never where it leads nowhere."""
    try:
        return link.resolve(strict=True).is_relative_to(inside)
    except (OSError, RuntimeError):
        return False


def _told(name: str, entry: DirEntry[str], inside: Path) -> os.stat_result:
    """What the file system tells of a file that may be read.

    Raises _UnreadableError, OSError and, for links in a circle before Python 3.13, RuntimeError.
    """
    if not name.isprintable():
        raise _UnreadableError("GW0107", "the file's name has characters that cannot be shown", "rename it")
    if entry.is_symlink() and not Path(entry.path).resolve(strict=True).is_relative_to(inside):
        what = "folder" if entry.is_dir() else "file"
        raise _UnreadableError(
            "GW0106", f"the {what} is a link that leads out of the folder", f"put the {what} itself there"
        )
    told = entry.stat()
    if not stat.S_ISREG(told.st_mode):
        raise _UnreadableError("GW0106", "this is no regular file", "put a file there, or rename it")
    return told


def _shown_name(name: str) -> str:
    """The name with a mark for each character that cannot be shown, and each byte that is not UTF-8."""
    return "".join(each if each.isprintable() else "?" for each in name)


def _at_most(path: Path, size: int) -> bytes:
    """The beginning of the file, by pieces: asking for the limit at once would set that much memory aside."""
    data = b""
    with path.open("rb", buffering=0) as file:
        while len(data) < size and (piece := file.read(min(PIECE_BYTES, size - len(data)))):
            data += piece
    return data


def as_octets(_: str, data: bytes) -> bytes:
    """The contents of a file as they are."""
    return data


def as_text(name: str, data: bytes) -> str:
    """The contents of a file of that name, which is UTF-8. Raises _UnreadableError."""
    try:
        return data.decode()
    except UnicodeDecodeError as trouble:
        before = data[: trouble.start].decode()
        place = place_at(name, before, len(before))
        raise _UnreadableError("GW0107", "the file is not UTF-8", "save it as UTF-8", place) from trouble
