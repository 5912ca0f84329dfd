"""What stands for PATH on a command line: a folder of policy documents, one in a git repository, or a cluster."""

import atexit
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from controller.cli.errors import CliError
from policy.cluster.documents import by_field, write
from policy.cluster.resources import PREFIX, ClusterError, is_cluster, resources
from policy.git.address import Address, AddressError, is_address, parse_address
from policy.git.errors import GitError
from policy.git.once import checked_out
from policy.source import Loaded, load


@dataclass(frozen=True, slots=True)
class Source:
    """A folder to read, and what was given for it. `commit` is that of its git repository, empty without one.

    `known_as` is where people know the folder: from the repository's top where it is of one. Variables have their
    values in `environment`. The documents of a cluster are its custom resources, written out.
    """

    folder: Path
    given: str
    known_as: Path
    commit: str = ""
    environment: str = ""
    is_cluster: bool = False

    def within(self, environment: str) -> "Source":
        """The same folder in an environment."""
        return replace(self, environment=environment)

    def __str__(self) -> str:
        return self.given

    def load(self, _folder: Path | None = None) -> Loaded:
        """The policy of the folder, with its commit. Never raises for what the folder holds."""
        loaded = load(self.folder, self.environment)
        if self.is_cluster:
            findings, of_tests = (by_field(each, self.folder) for each in (loaded.findings, loaded.of_tests))
            return replace(loaded, findings=findings, of_tests=of_tests)
        return replace(loaded, policy=replace(loaded.policy, commit=self.commit)) if loaded.policy else loaded


def source(text: str) -> Source:
    """The folder as it is now. That of a repository or a cluster is written out for as long as the command runs.

    Raises CliError when it cannot be had.
    """
    if is_cluster(text):
        return _cluster(text)
    given = folder_or_address(text)
    if isinstance(given, Path):
        return Source(given, text, given)
    try:
        folder, commit = checked_out(given, _temporary())
    except GitError as error:
        raise CliError(f"{text}: {error.finding.message} ({error.finding.id})", error.finding.hint) from error
    return Source(folder, f"{text} ({commit[:12]})", Path(given.folder), commit)


def folder_or_address(text: str) -> Path | Address:
    """What the text means, nothing read yet. Raises CliError."""
    if is_cluster(text):
        raise CliError(f"{text} is a cluster, which `gridwright run` alone follows", "give a folder, or one in git")
    if not is_address(text):
        return Path(text)
    try:
        return parse_address(text)
    except AddressError as error:
        raise CliError(f"{text} is no address of a folder in a repository", str(error)) from error


def _cluster(text: str) -> Source:
    folder = _temporary()
    try:
        write(resources(text.removeprefix(PREFIX), os.environ.get("KUBECONFIG")), folder)
    except ClusterError as error:
        raise CliError(f"{text}: {error.message}", error.hint) from error
    return Source(folder, text, Path(), is_cluster=True)


def _temporary() -> Path:
    """A folder for as long as the command runs."""
    store = tempfile.TemporaryDirectory(prefix="gridwright-")
    atexit.register(store.cleanup)
    return Path(store.name)
