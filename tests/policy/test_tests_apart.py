"""Tests stand beside the policy and are no part of it."""

from pathlib import Path

from policy.findings import Level
from policy.source import load_documents

GOOD = ("good.yaml", (Path(__file__).parent / "good.yaml").read_text())
TEST = """\
apiVersion: gridwright.dev/v1alpha1
kind: PolicyTest
metadata: {name: paris-is-lost}
spec:
  at: 2026-06-01T12:00:00Z
  steps: [{when: [{siteLost: edge-paris}], expect: [{feasible: false}]}]
"""


def test_a_file_of_tests_is_in_no_revision() -> None:
    alone = load_documents([GOOD]).policy
    both = load_documents([GOOD, ("tests/lost.yaml", TEST)])
    assert alone is not None
    assert both.policy is not None
    assert both.policy.revision == alone.revision
    assert both.policy.documents == (GOOD,)
    assert [test.name for test in both.tests] == ["paris-is-lost"]


def test_a_broken_test_is_told_and_keeps_no_policy_from_being_used() -> None:
    loaded = load_documents([GOOD, ("lost.yaml", TEST.replace("siteLost", "siteLots"))])
    assert loaded.policy is not None
    assert loaded.tests == ()
    assert loaded.findings == ()
    assert [(finding.id, finding.level) for finding in loaded.of_tests] == [("GW0202", Level.ERROR)]


def test_tests_alone_are_no_policy() -> None:
    loaded = load_documents([("lost.yaml", TEST)])
    assert loaded.policy is None
    assert "GW0108" in {finding.id for finding in loaded.findings}


def test_a_test_of_what_could_not_be_read_is_not_called_wrong() -> None:
    torn = GOOD[1].replace("jurisdictions:", "jurisdictoins:", 1)
    loaded = load_documents([("good.yaml", torn), ("lost.yaml", TEST)])
    assert loaded.policy is None
    assert loaded.of_tests == ()
