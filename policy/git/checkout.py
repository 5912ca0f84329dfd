"""The files of a commit's folder, written out as plain files: nothing in them runs, filters or leads anywhere."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from policy.folder import MAX_ALL_BYTES, MAX_BYTES, MAX_DEPTH, MAX_FILES
from policy.git.address import Address
from policy.git.command import CommandError, Repository
from policy.git.errors import RefusedError, UnreachableError

ELSEWHERE: Final = "give a folder that the repository has there"
PLAIN: Final = "put the file itself there, under a plain name"
ALONE: Final = "give the folder of the policy alone"
_FILES: Final = ("100644", "100755")
_ODD: Final = {"120000": "a symbolic link", "160000": "a submodule"}
_UNSAFE: Final = frozenset(("", ".", "..", ".git"))


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of a tree, by its name from the folder."""

    name: str
    blob: str
    size: int


def write_out(repository: Repository, address: Address, commit: str, target: Path) -> None:
    """Write the address's folder as of a commit to `target`, whole or not at all. Raises GitError.

    Where `target` is there already nothing is done: a commit never changes.
    """
    if target.is_dir():
        return
    entries = list(_entries(repository, address, commit))
    partial = target.with_name(f"{target.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for entry, data in zip(entries, _blobs(repository, address, entries), strict=True):
            file = partial / entry.name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        partial.rename(target)
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror}"
        raise UnreachableError("GW0460", str(address), message, "free space, or check its permissions") from error


def _entries(repository: Repository, address: Address, commit: str) -> Iterator[_Entry]:
    """The files of the folder. Raises RefusedError."""
    tree = f"{commit}:{address.folder}"
    try:
        listed = repository.git(("ls-tree", "-r", "-z", "--long", "--full-tree", "--end-of-options", tree))
    except CommandError as error:
        message = f"there is no folder `{address.folder}`: {error}"
        raise RefusedError("GW0461", str(address), message, ELSEWHERE) from error
    lines = [line for line in listed.split(b"\0") if line]
    if not lines:
        raise RefusedError("GW0461", str(address), f"the folder `{address.folder}` is empty", ELSEWHERE)
    if len(lines) > MAX_FILES:
        raise RefusedError("GW0465", str(address), f"it holds {len(lines)} files, over {MAX_FILES}", ALONE)
    left = MAX_ALL_BYTES
    for line in lines:
        entry = _entry(address, line)
        left -= entry.size
        if entry.size > MAX_BYTES or left < 0:
            raise RefusedError(
                "GW0465", str(address), f"{entry.name} is one too many or too large: {entry.size} bytes", ALONE
            )
        yield entry


def _entry(address: Address, line: bytes) -> _Entry:
    told, _, raw = line.partition(b"\t")
    mode, _, blob, size = told.decode("ascii").split()
    shown = raw.decode(errors="replace")
    if mode in _FILES and not size.isdecimal():
        message = f"the contents of {shown} are not in the repository"
        raise UnreachableError("GW0460", str(address), message, "repair the repository: `git fsck` tells what it lacks")
    if mode not in _FILES:
        raise RefusedError("GW0464", str(address), f"{shown} is {_ODD.get(mode, 'no file')}", PLAIN)
    parts = PurePosixPath(shown).parts
    if shown.encode() != raw or shown.startswith("/") or _UNSAFE & set(parts) or len(parts) > MAX_DEPTH:
        raise RefusedError("GW0464", str(address), f"{shown!r} is no name that a file may have", PLAIN)
    return _Entry(shown, blob, int(size))


def _blobs(repository: Repository, address: Address, entries: list[_Entry]) -> Iterator[bytes]:
    """The contents of the files, in their order. Raises UnreachableError."""
    asked = "".join(f"{entry.blob}\n" for entry in entries).encode()
    try:
        answer = memoryview(repository.git(("cat-file", "--batch=%(objectname) %(objectsize)"), given=asked))
    except CommandError as error:
        message = f"the commit's files cannot be read: {error}"
        raise UnreachableError("GW0460", str(address), message, "remove the copy of the repository") from error
    at = 0
    for entry in entries:
        at += len(f"{entry.blob} {entry.size}\n")
        yield bytes(answer[at : at + entry.size])
        at += entry.size + 1


def point(link: Path, target: Path) -> None:
    """Have the link lead to a folder beside it, in one step. Raises OSError."""
    new = link.with_name(f"{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target.relative_to(link.parent))
    os.replace(new, link)  # noqa: PTH105 -- Path.replace would say the same of a link, and this names the system's call
