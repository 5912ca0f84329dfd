"""Broken documents beside a good one: every finding, with its place, its words and its hint, as it stands in a text."""

from pathlib import Path

import pytest

from policy.findings import Finding, Level
from policy.source import load_documents

HERE = Path(__file__).parent
GOOD = ("good.yaml", (HERE / "good.yaml").read_text())
BROKEN = sorted((HERE / "broken").glob("*.yaml"))


def findings_of(file: Path) -> tuple[Finding, ...]:
    loaded = load_documents([GOOD, (file.name, file.read_text())])
    return (*loaded.findings, *loaded.of_tests)


def test_the_good_document_has_no_finding() -> None:
    loaded = load_documents([GOOD])
    assert loaded.findings == ()
    assert loaded.policy is not None


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_every_finding_is_told_in_these_words(file: Path) -> None:
    assert [str(finding) for finding in findings_of(file)] == file.with_suffix(".txt").read_text().splitlines()


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_every_finding_stands_where_it_says(file: Path) -> None:
    texts = {file.name: file.read_text(), GOOD[0]: GOOD[1]}
    for finding in findings_of(file):
        assert finding.place is not None
        lines = texts[finding.place.file].splitlines()
        assert 1 <= finding.place.line <= len(lines)
        assert 1 <= finding.place.column <= len(lines[finding.place.line - 1]) + 1
        assert finding.hint


def test_a_policy_is_given_exactly_when_there_is_no_error() -> None:
    for file in BROKEN:
        loaded = load_documents([GOOD, (file.name, file.read_text())])
        assert (loaded.policy is None) == any(f.level is Level.ERROR for f in loaded.findings), file.name


def test_all_errors_of_all_files_are_told_at_once() -> None:
    choosing = "kind: Environment"  # which values are judged depends on the choice, and a policy has one
    texts = [(file.name, file.read_text()) for file in BROKEN if choosing not in file.read_text()]
    loaded = load_documents([GOOD, *texts])
    told = {(f.id, f.place) for f in (*loaded.findings, *loaded.of_tests)}
    syntax = {"GW0101", "GW0102", "GW0103", "GW0105", "GW0201", "GW0202", "GW0203", "GW0204"}
    for file in BROKEN:
        if file.name in dict(texts):
            assert {(f.id, f.place) for f in findings_of(file) if f.id in syntax} <= told, file.name
