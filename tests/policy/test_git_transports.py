"""Repositories over https and ssh, and hostile ones."""

import os
import shutil
import stat
import time
from pathlib import Path

import pytest
import trustme
from git_repository import Repository, repository_with_policy
from git_server import serving

from policy.findings import Finding
from policy.git.address import parse_address
from policy.git.following import Following


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return repository_with_policy(tmp_path / "fleet")


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("GIT_SSL_CAINFO", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return made


def looked(url: str, store: Path) -> Following:
    following = Following(parse_address(f"git+{url}@main:policy"), store)
    following.look()
    return following


def trouble(following: Following) -> Finding:
    return following.load().findings[0]


def test_a_branch_is_followed_over_https(repository: Repository, authority: trustme.CA, tmp_path: Path) -> None:
    with serving(tmp_path, authority) as server:
        following = looked(f"{server}/fleet/.git", tmp_path / "store")
        for number in range(60):
            repository.commit(f"number {number}")
        following.look()
    policy = following.load().policy
    assert policy is not None
    assert policy.commit == repository.git("rev-parse", "HEAD")


def test_credentials_come_from_netrc(repository: Repository, authority: trustme.CA, tmp_path: Path) -> None:
    assert repository
    with serving(tmp_path, authority, user="reader:secret") as server:
        refused = looked(f"{server}/fleet/.git", tmp_path / "one")
        assert trouble(refused).id == "GW0460"
        (tmp_path / ".netrc").write_text("machine localhost login reader password secret\n")
        assert looked(f"{server}/fleet/.git", tmp_path / "two").load().policy is not None


def test_a_server_that_nobody_vouches_for_is_refused(
    repository: Repository, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert repository
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    monkeypatch.setenv("GIT_SSL_CAINFO", str(tmp_path / "other.pem"))
    monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")
    with serving(tmp_path, authority) as server:
        found = trouble(looked(f"{server}/fleet/.git", tmp_path / "store"))
    assert found.id == "GW0460"
    assert "certificate" in found.message


def test_redirects_are_not_followed(repository: Repository, authority: trustme.CA, tmp_path: Path) -> None:
    assert repository
    with serving(tmp_path, authority) as server, serving(tmp_path, authority, moved_to=server) as moved:
        found = trouble(looked(f"{moved}/fleet/.git", tmp_path / "store"))
    assert found.id == "GW0460"


def test_ssh_asks_no_question_and_trusts_no_unknown_host(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for the client's end of ssh alone: git on the other side is real."""
    client = tmp_path / "bin" / "ssh"
    client.parent.mkdir()
    client.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/asked\neval "last=\\${{$#}}"\nexec sh -c "$last"\n')
    client.chmod(client.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{client.parent}:{os.environ['PATH']}")
    following = looked(f"ssh://git@git.example.org:2222{repository.path}", tmp_path / "store")
    assert following.load().policy is not None
    asked = (tmp_path / "asked").read_text().splitlines()
    assert {"-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "git@git.example.org", "2222"} <= set(asked)


def test_a_tree_that_unfolds_without_end_is_refused_in_time(repository: Repository, tmp_path: Path) -> None:
    blob = repository.git("hash-object", "-w", str(repository.path / "policy/good.yaml"))
    listing = tmp_path / "listing"
    tree, kind, mode = blob, "blob", "100644"
    for _ in range(10):
        listing.write_text("".join(f"{mode} {kind} {tree}\tf{number}.yaml\n" for number in range(10)))
        with listing.open() as given:
            tree = repository.git("mktree", stdin=given)
        kind, mode = "tree", "040000"
    commit = repository.git("commit-tree", tree, "-m", "a bomb")
    repository.git("update-ref", "refs/heads/bomb", commit)
    started = time.monotonic()
    following = Following(parse_address(repository.address("bomb", "f0.yaml")), tmp_path / "store")
    following.look()
    assert trouble(following).id in {"GW0460", "GW0461", "GW0465"}
    assert time.monotonic() - started < 60


def test_a_store_that_cannot_be_written_is_told_and_mended_by_the_next_look(
    repository: Repository, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    store.write_text("in the way")
    following = Following(parse_address(repository.address()), store)
    following.look()
    assert trouble(following).id == "GW0460"
    store.unlink()
    following.look()
    assert following.load().policy is not None


@pytest.mark.parametrize("broken", ["objects", "lock"])
def test_a_copy_of_the_repository_that_is_broken_is_made_anew(
    repository: Repository, tmp_path: Path, broken: str
) -> None:
    following = Following(parse_address(repository.address()), tmp_path / "store")
    following.look()
    good = following.load().policy
    if broken == "objects":
        shutil.rmtree(tmp_path / "store/repository/objects")
    else:
        (tmp_path / "store/repository/shallow.lock").touch()
    commit = repository.commit()
    following.look()
    assert following.load().policy == good
    assert trouble(following).id == "GW0460"
    following.look()
    policy = following.load().policy
    assert policy is not None
    assert (policy.commit, following.load().findings) == (commit, ())
