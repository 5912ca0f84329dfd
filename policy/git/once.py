"""The folder of an address as it is now, for one command."""

from pathlib import Path

from policy.git.address import Address
from policy.git.checkout import write_out
from policy.git.command import Repository
from policy.git.fetching import assert_signed, fetched, named, prepare


def checked_out(address: Address, store: Path) -> tuple[Path, str]:
    """The folder, written out below `store`, and its commit. Raises GitError."""
    repository = Repository(store / "repository")
    prepare(repository)
    name, _ = named(repository, address)
    commit = fetched(repository, address, name, "")
    assert_signed(repository, address, commit)
    target = store / "commits" / commit
    write_out(repository, address, commit, target)
    return target, commit
