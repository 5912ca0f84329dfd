"""A branch that is followed: good commits are taken, others are refused, and the last good one stays."""

import stat
from pathlib import Path

import pytest
from git_follower import against, follow, in_force
from git_repository import Repository, repository_with_policy

from policy.findings import Level
from policy.git.address import parse_address
from policy.git.checkout import write_out
from policy.git.command import Repository as Copy
from policy.git.errors import UnreachableError
from policy.git.following import Following

SITE = "apiVersion: gridwright.dev/v1alpha1\nkind: Site\nmetadata: {{name: {}}}\nspec: {{jurisdictions: [FR]}}\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return repository_with_policy(tmp_path / "fleet")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def test_the_policy_of_a_branch_has_its_commit(repository: Repository, store: Path) -> None:
    following = follow(repository, store)
    following.look()
    assert in_force(following) == repository.git("rev-parse", "HEAD")
    assert (following.folder / "good.yaml").read_bytes() == (repository.path / "policy/good.yaml").read_bytes()


def test_a_newer_commit_is_taken_at_the_next_look(repository: Repository, store: Path) -> None:
    following = follow(repository, store)
    following.look()
    repository.write(SITE.format("added"))
    commit = repository.commit()
    assert in_force(following) != commit
    following.look()
    policy = following.load().policy
    assert policy is not None
    assert policy.commit == commit
    assert policy.site("added").jurisdictions == ("FR",)


def test_many_commits_at_once_are_taken(repository: Repository, store: Path) -> None:
    following = follow(repository, store)
    following.look()
    for number in range(60):
        repository.commit(f"number {number}")
    following.look()
    assert in_force(following) == repository.git("rev-parse", "HEAD")
    assert len(list((store / "commits").iterdir())) == 2


def test_evidence_and_other_files_come_along(repository: Repository, store: Path) -> None:
    repository.write("a.b.c", "policy/evidence/lease.jwt")
    repository.commit()
    following = follow(repository, store)
    following.look()
    assert (following.folder / "evidence/lease.jwt").read_text() == "a.b.c"


def test_a_commit_with_errors_is_refused_and_told_with_places(repository: Repository, store: Path) -> None:
    following = follow(repository, store)
    following.look()
    good = in_force(following)
    repository.write("kind: [\n")
    bad = repository.commit()
    following.look()
    assert in_force(following) == good
    assert against(following)[0] == "GW0466"
    told = following.load().findings
    assert bad[:12] in told[0].message
    assert "more.yaml" in {finding.place.file for finding in told if finding.place}
    assert [each.name for each in (store / "commits").iterdir()] == [good]
    repository.git("rm", "--quiet", "policy/more.yaml")
    mended = repository.commit()
    following.look()
    assert (in_force(following), against(following)) == (mended, [])


def test_a_copy_that_lost_the_contents_of_a_file_is_told_of(repository: Repository, store: Path) -> None:
    commit, blob = repository.git("rev-parse", "HEAD"), repository.git("rev-parse", "HEAD:policy/good.yaml")
    (repository.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(UnreachableError, match=r"the contents of good\.yaml are not in the repository"):
        write_out(Copy(repository.path / ".git"), parse_address(repository.address()), commit, store)


def test_a_forced_branch_is_refused_and_going_back_by_a_new_commit_is_not(repository: Repository, store: Path) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.write(SITE.format("added"))
    second = repository.commit()
    following = follow(repository, store)
    following.look()
    repository.git("reset", "--quiet", "--hard", first)
    following.look()
    assert (in_force(following), against(following)) == (second, ["GW0463"])
    repository.commit("another way")
    following.look()
    assert (in_force(following), against(following)) == (second, ["GW0463"])
    repository.git("reset", "--quiet", "--hard", second)
    repository.git("revert", "--no-edit", second)
    following.look()
    assert against(following) == []
    assert not (following.folder / "more.yaml").exists()


def test_a_new_start_goes_on_from_the_last_good_commit(repository: Repository, store: Path) -> None:
    repository.write(SITE.format("added"))
    second = repository.commit()
    follow(repository, store).look()
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    anew = follow(repository, store)
    anew.look()
    assert (in_force(anew), against(anew)) == (second, ["GW0463"])


def test_a_repository_that_is_away_leaves_the_last_good_commit_in_force(repository: Repository, store: Path) -> None:
    following = follow(repository, store)
    following.look()
    good = in_force(following)
    repository.path.rename(repository.path.with_name("away"))
    following.look()
    assert (in_force(following), against(following)) == (good, [])
    assert [finding.id for finding in following.load().findings if finding.level is Level.WARNING] == ["GW0460"]
    repository.path.with_name("away").rename(repository.path)
    following.look()
    assert following.load().findings == ()


def test_without_a_first_look_that_worked_there_is_no_policy(tmp_path: Path, store: Path) -> None:
    following = Following(parse_address(f"git+file://{tmp_path}/nowhere@main"), store)
    following.look()
    assert (following.load().policy, against(following)) == (None, ["GW0460"])


@pytest.mark.parametrize(("ref", "folder"), [("mian", "policy"), ("main", "polciy"), ("twice", "policy")])
def test_what_is_not_there_or_ambiguous_is_told(repository: Repository, store: Path, ref: str, folder: str) -> None:
    repository.git("branch", "twice")
    repository.git("tag", "twice")
    following = follow(repository, store, ref=ref, folder=folder)
    following.look()
    assert against(following) == ["GW0461"]


def test_an_annotated_tag_is_its_commit(repository: Repository, store: Path) -> None:
    repository.git("tag", "-a", "v1", "-m", "one")
    following = follow(repository, store, ref="v1")
    following.look()
    assert in_force(following) == repository.git("rev-parse", "v1^{commit}")


@pytest.mark.parametrize("target", ["good.yaml", "../README", "/etc/passwd"])
def test_links_are_refused(repository: Repository, store: Path, target: str) -> None:
    (repository.path / "policy/link.yaml").symlink_to(target)
    repository.commit()
    following = follow(repository, store)
    following.look()
    assert (in_force(following), against(following)) == ("", ["GW0464"])


def test_submodules_are_refused(repository: Repository, store: Path) -> None:
    head = repository.git("rev-parse", "HEAD")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{head},policy/inner")
    repository.git("commit", "--quiet", "-m", "a submodule")
    following = follow(repository, store)
    following.look()
    assert against(following) == ["GW0464"]


def test_a_file_over_the_limit_is_refused(repository: Repository, store: Path) -> None:
    repository.write("#" * (4 * 1024 * 1024 + 1))
    repository.commit()
    following = follow(repository, store)
    following.look()
    assert against(following) == ["GW0465"]


def test_nothing_of_the_repository_runs(repository: Repository, store: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    script = f"#!/bin/sh\ntouch {ran}\n"
    for name in ("post-checkout", "post-merge", "reference-transaction", "pre-auto-gc"):
        hook = repository.path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(script)
        hook.chmod(0o755)
    repository.git("config", "uploadpack.packObjectsHook", str(repository.path / ".git/hooks/post-merge"))
    repository.git("config", "filter.run.smudge", f"touch {ran}; cat")
    repository.write("*.yaml filter=run export-ignore\n", "policy/.gitattributes")
    repository.git("-c", "core.hooksPath=/dev/null", "add", "--all")
    repository.git("-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "filters")
    following = follow(repository, store)
    following.look()
    assert (against(following), ran.exists()) == ([], False)
    assert not stat.S_IXUSR & (following.folder / "good.yaml").stat().st_mode


def test_no_setting_of_whoever_starts_it_is_honoured(
    repository: Repository, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = repository_with_policy(tmp_path / "elsewhere")
    elsewhere.write(SITE.format("elsewhere"))
    elsewhere.commit()
    config = tmp_path / "config"
    config.write_text(f'[url "file://{elsewhere.path}"]\n  insteadOf = file://{repository.path}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(elsewhere.path / ".git"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'url.file://{elsewhere.path}.insteadof=file://{repository.path}'")
    following = follow(repository, store)
    following.look()
    monkeypatch.undo()
    assert in_force(following) == repository.git("rev-parse", "HEAD")
