"""Evidence from files: what cannot be read gives no evidence, and so no permission."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.evidence.files import EvidenceFiles, read_evidence
from policy.findings import Level

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
CLAIM = """
apiVersion: gridwright.dev/v1alpha1
kind: Evidence
metadata: {name: edge-paris-pci-dss}
spec:
  subject: {site: edge-paris}
  claim: {standard: pci-dss, version: "4.0"}
  issuer: qsa.example
  issuedAt: 2026-01-15T01:00:00+01:00
  expiresAt: 2030-01-15T00:00:00Z
"""


def folder_of(tmp_path: Path, **texts: str) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_a_claim_is_read_with_its_dates_in_utc_and_its_place(tmp_path: Path) -> None:
    (claim,), findings = read_evidence(folder_of(tmp_path, paris=CLAIM), (), NOW)
    assert findings == ()
    assert (claim.id, claim.subject_kind, claim.subject) == ("edge-paris-pci-dss", "site", "edge-paris")
    assert (claim.standard, claim.version, claim.issuer) == ("pci-dss", (4, 0), "qsa.example")
    assert claim.issued_at == datetime(2026, 1, 15, tzinfo=UTC)
    assert claim.expires_at == datetime(2030, 1, 15, tzinfo=UTC)
    assert str(claim.place) == "evidence/paris.yaml:4:18"


@pytest.mark.parametrize(
    ("old", "new", "start"),
    [
        (
            "2030-01-15T00",
            "2025-01-15T00",
            "evidence/paris.yaml:10:14: error GW0401: the evidence ends before it begins",
        ),
        ("2030-01-15T00:00:00Z", "2026-01-15T00:00:00Z", "evidence/paris.yaml:10:14: error GW0401"),
        ("2030-01-15T00:00:00Z", "2030-01-15", "evidence/paris.yaml:10:14: error GW0204"),
        ("{site: edge-paris}", "{}", "evidence/paris.yaml:6:12: error GW0204"),
        ("{site: edge-paris}", "{site: a, pool: b}", "evidence/paris.yaml:6:12: error GW0204"),
        ("issuer: qsa.example", "issuer: qsa.example\n  isuer: x", "evidence/paris.yaml:9:3: error GW0202"),
        ("  issuer: qsa.example\n", "", "evidence/paris.yaml:5:1: error GW0203"),
        ("kind: Evidence", "kind: Site", "evidence/paris.yaml:3:7: error GW0201"),
        ("{standard:", "[standard:", "evidence/paris.yaml:7"),
    ],
)
def test_a_claim_with_a_mistake_gives_no_evidence(tmp_path: Path, old: str, new: str, start: str) -> None:
    assert old in CLAIM
    claims, findings = read_evidence(folder_of(tmp_path, paris=CLAIM.replace(old, new)), (), NOW)
    assert claims == ()
    assert any(str(finding).startswith(start) for finding in findings), findings


def test_two_claims_of_one_name_both_count_for_nothing(tmp_path: Path) -> None:
    longer = CLAIM.replace("2030", "2040")
    claims, findings = read_evidence(folder_of(tmp_path, one=CLAIM, two=longer), (), NOW)
    assert claims == ()
    assert [finding.id for finding in findings] == ["GW0402", "GW0402"]


def test_a_broken_file_takes_no_other_file_along(tmp_path: Path) -> None:
    other = CLAIM.replace("edge-paris", "edge-lyon")
    claims, findings = read_evidence(folder_of(tmp_path, broken="[", lyon=other), (), NOW)
    assert [claim.subject for claim in claims] == ["edge-lyon"]
    assert len(findings) == 1


def test_a_file_that_nothing_reads_is_told_and_hidden_ones_are_not(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, paris=CLAIM)
    (folder / "certificates").mkdir()
    (folder / "certificates" / "x.cer").write_text("")
    (folder / ".hidden").write_text("")
    (folder / os.fsdecode(b"\xff.JWT")).write_text("")
    (claim,), findings = read_evidence(folder, (), NOW)
    assert claim.subject == "edge-paris"
    assert [(each.id, each.level, str(each.place)) for each in findings] == [
        ("GW0441", Level.WARNING, "evidence/?.JWT:1:1"),
        ("GW0441", Level.WARNING, "evidence/certificates/x.cer:1:1"),
    ]
    assert ".sigstore.json" in findings[0].hint


def test_no_folder_is_no_evidence(tmp_path: Path) -> None:
    assert read_evidence(tmp_path / "nothing", (), NOW) == ((), ())


async def test_the_files_are_read_anew_each_time(tmp_path: Path) -> None:
    collector = EvidenceFiles(folder := folder_of(tmp_path, paris=CLAIM), tuple)
    first = await collector.collect(NOW)
    (folder / "paris.yaml").write_text(CLAIM.replace("2030", "2027"))
    second = await collector.collect(NOW)
    (folder / "paris.yaml").unlink()
    third = await collector.collect(NOW)
    assert [claim.expires_at.year for claim in first.evidence] == [2030]
    assert [claim.expires_at.year for claim in second.evidence] == [2027]
    assert third.evidence == ()
