"""`gridwright fmt` as people and scripts run it."""

import os
import shutil
from pathlib import Path

import pytest
from process import EXAMPLE, gridwright

from policy.folder import MAX_BYTES

TIDY = "apiVersion: gridwright.dev/v1alpha1\nkind: Site\nmetadata: {name: edge-nice}\nspec: {jurisdictions: [FR]}\n"
UNTIDY = "kind: Site\napiVersion: gridwright.dev/v1alpha1\nspec: {jurisdictions: [ FR ]}\nmetadata: {name: edge-nice}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A policy with one file that is not as it should be, and one that is no policy."""
    policy = shutil.copytree(EXAMPLE, tmp_path / "policy")
    (policy / "services.yaml").write_text(TIDY)
    (policy / "more.yaml").write_text(UNTIDY)
    (policy / "other.yaml").write_text("b:   1\na: 2\n")
    return policy


def test_a_folder_is_formatted_and_then_stays(folder: Path) -> None:
    ran = gridwright("fmt", folder)
    assert (ran.status, ran.out) == (0, f"{folder / 'more.yaml'}\n")
    assert (folder / "more.yaml").read_text() == TIDY
    assert (folder / "other.yaml").read_text() == "b:   1\na: 2\n"
    again = gridwright("fmt", "--check", folder)
    assert (again.status, again.out) == (0, "")


def test_check_lists_what_would_change_and_changes_nothing(folder: Path) -> None:
    ran = gridwright("fmt", "--check", folder)
    assert (ran.status, ran.out) == (1, f"{folder / 'more.yaml'}\n")
    assert (folder / "more.yaml").read_text() == UNTIDY


def test_one_file_is_formatted_alone(folder: Path) -> None:
    assert gridwright("fmt", folder / "more.yaml").status == 0
    assert (folder / "more.yaml").read_text() == TIDY


def test_evidence_is_left_alone(folder: Path) -> None:
    before = {file: file.read_text() for file in (folder / "evidence").iterdir()}
    (folder / "evidence" / "more.yaml").write_text(UNTIDY)
    gridwright("fmt", folder)
    assert {file: file.read_text() for file in before} == before
    assert (folder / "evidence" / "more.yaml").read_text() == UNTIDY


def test_what_cannot_be_read_is_an_error_with_a_next_step(folder: Path) -> None:
    (folder / "latin.yaml").write_bytes(b"kind: S\xefte\n")
    ran = gridwright("fmt", folder)
    assert ran.status == 1
    assert "latin.yaml:1:8: error GW0107" in ran.out
    assert (folder / "more.yaml").read_text() == TIDY
    for missing in (folder / "latin.yaml", folder / "none.yaml"):
        ran = gridwright("fmt", missing)
        assert ran.status == 1
        assert "cannot be read" in ran.err


def test_a_pipe_and_a_file_beyond_bounds_are_refused_without_reading_them(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    (folder / "big.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    for name, told in (("pipe.yaml", "no regular file"), ("big.yaml", "more than")):
        ran = gridwright("fmt", folder / name)
        assert ran.status == 1
        assert told in ran.err


def test_line_breaks_of_another_system_are_kept_apart_from_meaning(folder: Path) -> None:
    (folder / "more.yaml").write_bytes(UNTIDY.replace("\n", "\r\n").encode())
    assert gridwright("fmt", folder).status == 0
    assert (folder / "more.yaml").read_bytes() == TIDY.encode()


def test_the_examples_are_formatted() -> None:
    assert gridwright("fmt", "--check", EXAMPLE).status == 0
