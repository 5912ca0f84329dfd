"""What stands for PATH on a command line: a folder of policy documents, or the address of one in a git repository."""

import atexit
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from controller.cli.errors import CliError
from policy.git.address import Address, AddressError, is_address, parse_address
from policy.git.errors import GitError
from policy.git.once import checked_out
from policy.source import Loaded, load


@dataclass(frozen=True, slots=True)
class Source:
    """A folder to read, and what was given for it. `commit` is that of its git repository, empty without one.

    `known_as` is where people know the folder: from the repository's top where it is of one. Variables have their
    values in `environment`.
    """

    folder: Path
    given: str
    known_as: Path
    commit: str = ""
    environment: str = ""

    def within(self, environment: str) -> "Source":
        """The same folder in an environment."""
        return replace(self, environment=environment)

    def __str__(self) -> str:
        return self.given

    def load(self, _folder: Path | None = None) -> Loaded:
        """The policy of the folder, with its commit. Never raises for what the folder holds."""
        loaded = load(self.folder, self.environment)
        return replace(loaded, policy=replace(loaded.policy, commit=self.commit)) if loaded.policy else loaded


def source(text: str) -> Source:
    """The folder as it is now. That of a repository is written out for as long as the command runs.

    Raises CliError when it cannot be had.
    """
    given = folder_or_address(text)
    if isinstance(given, Path):
        return Source(given, text, given)
    store = tempfile.TemporaryDirectory(prefix="gridwright-")
    atexit.register(store.cleanup)
    try:
        folder, commit = checked_out(given, Path(store.name))
    except GitError as error:
        raise CliError(f"{text}: {error.finding.message} ({error.finding.id})", error.finding.hint) from error
    return Source(folder, f"{text} ({commit[:12]})", Path(given.folder), commit)


def folder_or_address(text: str) -> Path | Address:
    """What the text means, nothing read yet. Raises CliError."""
    if not is_address(text):
        return Path(text)
    try:
        return parse_address(text)
    except AddressError as error:
        raise CliError(f"{text} is no address of a folder in a repository", str(error)) from error
