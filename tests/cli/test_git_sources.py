"""An address of a repository wherever a command takes a folder."""

import shutil
import subprocess
from pathlib import Path

import pytest
from process import ROOT, gridwright

HEALTH = ROOT / "examples" / "health"


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(["git", "-C", folder, *who, *arguments], capture_output=True, text=True, check=True)  # noqa: S607
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example on `main`; on `broken` a document has an error."""
    folder = tmp_path_factory.mktemp("fleet")
    shutil.copytree(HEALTH, folder / "policy")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "one")
    git(folder, "switch", "--quiet", "-c", "broken")
    (folder / "policy/broken.yaml").write_text("kind: [\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "two")
    return folder


def test_check_reads_a_commit_with_its_evidence(repository: Path) -> None:
    address = f"git+file://{repository}@main:policy"
    commit = git(repository, "rev-parse", "main")
    there, here = gridwright("check", address), gridwright("check", HEALTH)
    assert there.status == here.status == 0
    assert there.out.splitlines()[-1].startswith(f"{address} ({commit[:12]}): ")
    assert there.out.splitlines()[:-1] == here.out.splitlines()[:-1]


def test_errors_of_a_commit_are_told_with_their_places(repository: Path) -> None:
    ran = gridwright("check", f"git+file://{repository}@broken:policy", "--output", "json")
    assert ran.status == 1
    assert ("GW0101", "broken.yaml") in {(finding["id"], finding["file"]) for finding in ran.json()}


def test_annotations_name_files_as_the_repository_does(repository: Path) -> None:
    ran = gridwright("check", f"git+file://{repository}@broken:policy", "--output", "github")
    assert "file=policy/broken.yaml," in ran.out


def test_diff_compares_a_branch_with_a_folder(repository: Path, tmp_path: Path) -> None:
    address = f"git+file://{repository}@main:policy"
    assert gridwright("diff", address, HEALTH).out == "nothing changes, at $1.10/h\n"
    changed = shutil.copytree(HEALTH, tmp_path / "policy")
    file = changed / "compliance.yaml"
    file.write_text(file.read_text().replace("[on-demand, reserved, owned]", "[on-demand, owned]"))
    assert gridwright("diff", address, changed).status == 2


def test_a_plan_names_its_commit(repository: Path) -> None:
    ran = gridwright("plan", f"git+file://{repository}@main:policy", "--json")
    assert ran.json()["plan"]["policy_commit"] == git(repository, "rev-parse", "main")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("git+http://host/r@main", "no way to fetch policy"),
        ("git+file://{}@mian:policy", "neither a branch nor a tag"),
        ("git+file://{}@main:nowhere", "no folder `nowhere`"),
        ("git+file://{}@main:policy#signers=/nowhere", "not signed by anybody"),
    ],
)
def test_what_cannot_be_read_is_told_with_the_next_step(repository: Path, address: str, told: str) -> None:
    ran = gridwright("check", address.format(repository))
    assert ran.status == 1
    assert told in " ".join(ran.err.split())
    assert "Traceback" not in ran.err


def test_a_commit_is_not_watched(repository: Path) -> None:
    ran = gridwright("check", f"git+file://{repository}@main:policy", "--watch")
    assert (ran.status, "is for a folder" in " ".join(ran.err.split())) == (1, True)
