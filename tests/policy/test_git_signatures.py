"""Commits that have to be signed: by an allowed key, for git, and as they are."""

import os
from pathlib import Path

import pytest
from git_follower import against, follow, in_force
from git_repository import Repository, allowed, new_key, repository_with_policy


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return repository_with_policy(tmp_path / "fleet")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return new_key(tmp_path / "key")


@pytest.fixture
def signers(tmp_path: Path, key: Path) -> Path:
    return allowed(tmp_path / "signers", key)


def test_a_commit_of_an_allowed_signer_is_taken(repository: Repository, store: Path, key: Path, signers: Path) -> None:
    commit = repository.commit(key=key)
    following = follow(repository, store, signers=signers)
    following.look()
    assert in_force(following) == commit


def test_an_unsigned_commit_and_one_of_another_key_are_refused(
    repository: Repository, store: Path, tmp_path: Path, key: Path, signers: Path
) -> None:
    good = repository.commit(key=key)
    following = follow(repository, store, signers=signers)
    following.look()
    for another in (None, new_key(tmp_path / "other")):
        repository.commit(key=another)
        following.look()
        assert (in_force(following), against(following)) == (good, ["GW0462"])


def test_a_commit_that_was_altered_after_it_was_signed_is_refused(
    repository: Repository, store: Path, tmp_path: Path, key: Path, signers: Path
) -> None:
    repository.commit("said", key=key)
    raw = repository.git("cat-file", "commit", "HEAD").replace("said", "forged")
    forged = tmp_path / "forged"
    forged.write_text(raw + "\n")
    repository.git("reset", "--quiet", repository.git("hash-object", "-t", "commit", "-w", str(forged)))
    following = follow(repository, store, signers=signers)
    following.look()
    assert (in_force(following), against(following)) == ("", ["GW0462"])


def test_a_key_for_another_purpose_does_not_count(
    repository: Repository, store: Path, key: Path, signers: Path
) -> None:
    signers.write_text(signers.read_text().replace('"git"', '"file"'))
    repository.commit(key=key)
    following = follow(repository, store, signers=signers)
    following.look()
    assert against(following) == ["GW0462"]


def test_a_commit_is_judged_anew_when_the_signers_change(
    repository: Repository, store: Path, tmp_path: Path, key: Path
) -> None:
    signers = allowed(tmp_path / "signers", new_key(tmp_path / "other"))
    os.utime(signers, (0, 0))
    commit = repository.commit(key=key)
    following = follow(repository, store, signers=signers)
    following.look()
    assert against(following) == ["GW0462"]
    allowed(signers, key)
    following.look()
    assert (in_force(following), against(following)) == (commit, [])


def test_without_the_file_of_signers_nothing_is_taken(
    repository: Repository, store: Path, tmp_path: Path, key: Path
) -> None:
    repository.commit(key=key)
    following = follow(repository, store, signers=tmp_path / "nowhere")
    following.look()
    assert against(following) == ["GW0462"]


def test_a_signature_of_another_kind_asks_no_other_program(
    repository: Repository, store: Path, tmp_path: Path, signers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, fake = tmp_path / "ran", tmp_path / "bin" / "gpg"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\ntouch {ran}\necho '[GNUPG:] GOODSIG 1 a'\n")
    fake.chmod(0o755)
    raw = repository.git("cat-file", "commit", "HEAD")
    header = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n"
    signed = tmp_path / "signed"
    signed.write_text(raw.replace("\n\n", f"\n{header}", 1) + "\n")
    repository.git("reset", "--quiet", repository.git("hash-object", "-t", "commit", "-w", str(signed)))
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    following = follow(repository, store, signers=signers)
    following.look()
    assert (against(following), ran.exists()) == (["GW0462"], False)
