"""A branch or a tag that is looked at again and again: the last good commit, and why a newer one is not taken."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from policy.findings import Finding, Level
from policy.git.address import Address
from policy.git.checkout import point, write_out
from policy.git.command import Repository
from policy.git.errors import RefusedError, UnreachableError
from policy.git.fetching import assert_signed, fetched, is_commit, named, prepare, short
from policy.source import Loaded, load

KEPT: Final = 2
"""Commits that stay written out: the one in force, and the one before, which a reader may be in the middle of."""


Judge = Callable[[Path], Loaded]


class Following:
    """What an address holds, kept in a folder of our own so that a restart goes on from the last good commit.

    `look` asks the repository and takes long; `load` tells what the last look found, and takes no time. Both may be
    called from any thread, each from one at a time. `against` is what is against the commit that is there now.
    """

    def __init__(self, address: Address, store: Path, environment: str = "", judge: Judge | None = None) -> None:
        """`judge` tells what a commit's folder gives beside what else is part of the policy; without it, by itself."""
        self._address = address
        self._judge = judge or partial(load, environment=environment)
        self._is_alone = judge is None
        self._store = store
        self._repository = Repository(store / "repository")
        self._judged: tuple[str, float] | None = None
        self._good = Loaded(None)
        self._loaded = Loaded(None)
        self.against: tuple[Finding, ...] = ()

    @property
    def folder(self) -> Path:
        """Where the files of the last good commit are, evidence included; not there before the first one."""
        return self._store / "current"

    @property
    def commit(self) -> str:
        """The last good commit; empty before the first one."""
        try:
            name = self.folder.readlink().name
        except OSError:
            return ""
        return name if is_commit(name) else ""

    def stop(self) -> None:
        """End a look that is under way, and any later one at once."""
        self._repository.stop()

    def load(self, _folder: Path | None = None) -> Loaded:
        """The policy of the last good commit; with errors among the findings, a newer one was refused."""
        return self._loaded

    def look(self) -> None:
        """Ask the repository once, and take what it has if that is good. Never raises for what it holds."""
        before = self.commit
        if self._good.policy is None and before:
            self._good = load_commit(self.folder, before, self._judge)
        try:
            against = self._asked(before)
        except UnreachableError as error:
            away = error.finding
            self._judged = None
            against = (replace(away, level=Level.WARNING) if self._good.policy else away,)
        if against is not None:
            self.against = against
            self._loaded = Loaded(self._good.policy, (*against, *self._good.findings))

    def _asked(self, before: str) -> tuple[Finding, ...] | None:
        """What is against the commit that is there now; None when that was told before. Raises UnreachableError."""
        try:
            self._store.mkdir(parents=True, exist_ok=True)
            prepare(self._repository)
            name, now = named(self._repository, self._address)
            judged = (now, _changed(self._address.signers))
            if judged == self._judged:
                return None
            against = self._weighed(name, before)
        except RefusedError as error:
            return (error.finding,)
        except OSError as error:
            raise _unwritable(self._address, error) from error
        # What a commit is refused for beside something else may be mended there.
        self._judged = judged if self._is_alone or not against else None
        return against

    def _weighed(self, name: str, before: str) -> tuple[Finding, ...]:
        """Take the commit at a branch or tag if it is good, and tell what is against it. Raises UnreachableError."""
        try:
            commit = fetched(self._repository, self._address, name, before)
            assert_signed(self._repository, self._address, commit)
            target = self._store / "commits" / commit
            write_out(self._repository, self._address, commit, target)
        except RefusedError as error:
            return (error.finding,)
        except UnreachableError:
            # The repository answered a moment ago, so that it may be our copy: git that was ended leaves locks behind.
            shutil.rmtree(self._repository.path, ignore_errors=True)
            raise
        found = load_commit(target, commit, self._judge)
        if found.policy is None:
            if commit != before:
                shutil.rmtree(target, ignore_errors=True)
            return (_has_errors(self._address, commit), *found.findings)
        self._good = found
        point(self.folder, target)
        _forget_others(target)
        return ()


def load_commit(folder: Path, commit: str, judge: Judge = load) -> Loaded:
    """The policy of a folder that was written out, with its commit."""
    loaded = judge(folder)
    return replace(loaded, policy=replace(loaded.policy, commit=commit)) if loaded.policy else loaded


def _changed(file: Path | None) -> float:
    """When a file last changed; 0 without one."""
    try:
        return file.stat().st_mtime if file else 0.0
    except OSError:
        return 0.0


def _forget_others(target: Path) -> None:
    """Remove the commits that no one reads any more. Raises OSError."""
    others = [each for each in target.parent.iterdir() if each != target]
    for old in sorted(others, key=lambda each: each.stat().st_mtime_ns)[: -(KEPT - 1)]:
        shutil.rmtree(old, ignore_errors=True)


def _has_errors(address: Address, commit: str) -> Finding:
    message = f"commit {short(commit)} has errors, so it is not taken"
    hint = "correct them in a new commit; `gridwright check` tells them before it is merged"
    return Finding("GW0466", Level.ERROR, message, hint, subject=str(address))


def _unwritable(address: Address, error: OSError) -> UnreachableError:
    message = f"{error.filename} cannot be written: {error.strerror}"
    return UnreachableError("GW0460", str(address), message, "free space, or check its permissions")
