"""A folder loaded again and again gives what loading it anew gives, and reads no more than what changed."""

import os
import time
from pathlib import Path

import pytest
from check_documents import documents, files

from policy import rereading
from policy.read_file import ReadFile, read_file
from policy.rereading import Rereading
from policy.source import load

LONG_AGO_NS = 1_700_000_000_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in files(documents(60), 1).items():
        write(tmp_path / name, text, LONG_AGO_NS)
    return tmp_path


def write(file: Path, text: str, changed_ns: int) -> None:
    file.write_text(text)
    os.utime(file, ns=(changed_ns, changed_ns))


def edit(file: Path, old: str, new: str, changed_ns: int = LONG_AGO_NS + 1) -> None:
    text = file.read_text()
    assert old in text
    write(file, text.replace(old, new), changed_ns)


def file_of(folder: Path, what: str) -> Path:
    return next(file for file in sorted(folder.iterdir()) if what in file.read_text())


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read anew, as they come."""
    names: list[str] = []

    def noted(name: str, text: str) -> ReadFile:
        names.append(name)
        return read_file(name, text)

    monkeypatch.setattr(rereading, "read_file", noted)
    return names


def test_nothing_new_is_told_by_none(folder: Path) -> None:
    again = Rereading(folder)
    assert again.load() == load(folder)
    assert again.load() is None


def test_only_the_file_that_changed_is_read_anew(folder: Path, read: list[str]) -> None:
    again = Rereading(folder)
    again.load()
    assert len(read) == 60
    site = file_of(folder, "kind: Site")
    edit(site, "[FR, EU]", "[DE, EU]")
    found = again.load()
    assert found == load(folder)
    assert found.policy is not None
    assert read[60:] == [site.name]


def test_findings_in_files_that_did_not_change_come_and_go_with_the_one_that_did(folder: Path) -> None:
    again = Rereading(folder)
    again.load()
    site = file_of(folder, "kind: Site")
    edit(site, "name: s0}", "name: t0}")
    broken = again.load()
    assert broken == load(folder)
    assert broken.policy is None
    assert {finding.place.file for finding in broken.findings if finding.place} - {site.name}
    edit(site, "name: t0}", "name: s0}", LONG_AGO_NS + 2)
    mended = again.load()
    assert mended == load(folder)
    assert mended.findings == ()


def test_files_that_come_go_and_cannot_be_read_are_noticed(folder: Path) -> None:
    again = Rereading(folder)
    again.load()
    (folder / "more.yaml").write_text("kind: [")
    assert again.load() == load(folder)
    (folder / "more.yaml").write_bytes(b"\xe9")
    assert again.load() == load(folder)
    (folder / "more.yaml").unlink()
    assert again.load() == load(folder)
    assert again.load() is None


def test_a_change_right_after_the_last_look_is_noticed_even_in_the_same_tick(folder: Path) -> None:
    site = file_of(folder, "kind: Site")
    again = Rereading(folder)
    tick_ns = time.time_ns() + 60_000_000_000  # a look within the tick, however long the machine takes over this
    os.utime(site, ns=(tick_ns, tick_ns))
    again.load()
    edit(site, "[FR, EU]", "[DE, EU]", tick_ns)
    found = again.load()
    assert found == load(folder)
