"""The commit that a branch or a tag is at, fetched into a repository of our own, and whether it may be taken."""

import re
from typing import Final

from policy.git.address import Address
from policy.git.command import FETCH_S, CommandError, Repository
from policy.git.errors import RefusedError, UnreachableError

SEEN: Final = "refs/gridwright/seen"
DEPTHS: Final = (1, 50, 1_000)
"""How many commits are fetched: the newest, and more when they have to be found to follow an older one."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT: Final = 12
_FOREIGN: Final = ("gpg.program=false", "gpg.openpgp.program=false", "gpg.x509.program=false")
"""Only signatures by ssh keys are verified: those of others would go by a keyring of this machine."""


def short(commit: str) -> str:
    """As much of a commit's id as people read."""
    return commit[:_SHORT]


def is_commit(text: str) -> bool:
    """Whether the text is the whole id of a commit."""
    return _COMMIT.fullmatch(text) is not None


def prepare(repository: Repository) -> None:
    """Make a repository of our own there, unless one is. Raises UnreachableError."""
    if (repository.path / "HEAD").is_file():
        return
    try:
        repository.git(("init", "--quiet", "--bare", "--template="))
    except (CommandError, OSError) as error:
        raise _unreachable(str(repository.path), error) from error


def named(repository: Repository, address: Address) -> tuple[str, str]:
    """The whole name of the address's branch or tag, and the id that it has now. Raises GitError."""
    wanted = (
        (address.ref,) if address.ref.startswith("refs/") else (f"refs/heads/{address.ref}", f"refs/tags/{address.ref}")
    )
    told = _asked(repository, address, ("ls-remote", "--", address.url, *wanted), FETCH_S).decode(errors="replace")
    found = [
        (name, commit) for commit, _, name in (line.partition("\t") for line in told.splitlines()) if name in wanted
    ]
    if len(found) == 1:
        return found[0]
    message = "is both a branch and a tag" if found else "is neither a branch nor a tag"
    hint = "write the whole name, such as refs/heads/main" if found else "give one that the repository has"
    raise RefusedError("GW0461", str(address), f"`{address.ref}` {message} there", hint)


def fetched(repository: Repository, address: Address, name: str, after: str) -> str:
    """The commit at a branch or tag, fetched. Raises GitError.

    With `after` it must be that commit or a later one: a branch that was forced elsewhere would bring back what was
    once repealed.
    """
    for depth in DEPTHS:
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", f"--depth={depth}")
        _asked(repository, address, ("fetch", *options, "--force", "--", address.url, f"{name}:{SEEN}"), FETCH_S)
        commit = _commit(repository, address)
        if not after or commit == after or _follows(repository, after, commit):
            return commit
    message = f"commit {short(commit)} does not follow {short(after)}, by the last {DEPTHS[-1]} commits of its history"
    hint = "add a commit on top of the one in force, also to go back; docs/git.md tells how to begin anew"
    raise RefusedError("GW0463", str(address), message, hint)


def assert_signed(repository: Repository, address: Address, commit: str) -> None:
    """The commit is signed by one of the signers that the address asks for, if it does. Raises RefusedError."""
    if address.signers is None:
        return
    trouble = "the file of allowed signers cannot be read"
    if address.signers.is_file():
        allowed = f"gpg.ssh.allowedSignersFile={address.signers.resolve()}"
        try:
            repository.git(("verify-commit", commit), settings=(*_FOREIGN, allowed))
        except (CommandError, OSError) as error:
            trouble = str(error)
        else:
            return
    message = f"commit {short(commit)} is not signed by anybody in {address.signers}: {trouble}"
    hint = "have it signed by an allowed key (git commit -S with gpg.format=ssh), or add the signer's key to the file"
    raise RefusedError("GW0462", str(address), message, hint)


def _commit(repository: Repository, address: Address) -> str:
    try:
        text = repository.git(("rev-parse", "--verify", "--end-of-options", f"{SEEN}^{{commit}}")).decode().strip()
    except CommandError as error:
        message = f"`{address.ref}` leads to no commit: {error}"
        raise RefusedError("GW0461", str(address), message, "give a branch, or a tag of a commit") from error
    return text


def _follows(repository: Repository, before: str, after: str) -> bool:
    try:
        repository.git(("merge-base", "--is-ancestor", before, after))
    except CommandError:
        return False
    return True


def _asked(repository: Repository, address: Address, arguments: tuple[str, ...], seconds: float) -> bytes:
    try:
        return repository.git(arguments, seconds=seconds)
    except (CommandError, OSError) as error:
        raise _unreachable(str(address), error) from error


def _unreachable(subject: str, trouble: Exception) -> UnreachableError:
    hint = "check the address, the network and the rights; of settings only ~/.netrc and ~/.ssh are read"
    return UnreachableError("GW0460", subject, f"the repository cannot be read: {trouble}", hint)
