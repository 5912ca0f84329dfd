"""Statements in the folder of evidence, beside each other and beside documents that nobody signed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from signing import (
    AT,
    NOW,
    digest,
    ec_pair,
    issuer_of,
    saying,
    signed,
)

from collectors.evidence.files import EvidenceFiles, read_evidence
from collectors.recording import decode, encode
from collectors.snapshot import Snapshot
from controller.planning.proofs import certifications
from policy.findings import Level
from policy.folder import MAX_DEPTH
from rules.kernel.spans import cover

PAIR = ec_pair()
ISSUER = issuer_of(PAIR)


def folder_with(tmp_path: Path, **texts: str) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


DOCUMENT = """
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


def signed_text(tmp_path: Path) -> str:
    return (tmp_path / "evidence" / "a.jwt").read_text()


def test_a_statement_that_begins_later_counts_from_then_on(tmp_path: Path) -> None:
    begins = NOW + timedelta(hours=1)
    renewal = signed(PAIR, saying(jti="pci-2", nbf=AT + 3_600, exp=AT + 7_200))
    folder = folder_with(tmp_path, a_jwt=signed(PAIR), b_jwt=renewal)
    evidence, (finding,) = read_evidence(folder, (ISSUER,), NOW)
    assert [(each.issued_at, each.expires_at) for each in evidence] == [
        (NOW - timedelta(hours=1), begins),
        (begins, begins + timedelta(hours=1)),
    ]
    assert (finding.level, str(finding.place)) == (Level.INFO, "evidence/b.jwt:1:1")
    assert f"{finding.id} {finding.message}" == "GW0409 the statement begins at 2026-05-04T13:00:00+00:00"
    spans = [(each.from_s, each.until_s) for each in certifications(evidence)]
    assert cover(spans, range(AT, AT + 7_200))
    assert not cover(spans[1:], range(AT, AT + 7_200))
    assert read_evidence(folder, (ISSUER,), begins)[1] == ()


def test_two_contents_of_one_number_count_for_neither_though_one_begins_later(tmp_path: Path) -> None:
    later = signed(PAIR, saying(nbf=AT + 600))
    evidence, findings = read_evidence(folder_with(tmp_path, a_jwt=signed(PAIR), b_jwt=later), (ISSUER,), NOW)
    assert (evidence, [each.id for each in findings]) == ((), ["GW0415", "GW0415"])


def test_beside_an_issuer_unsigned_evidence_does_not_count(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, paris_jwt=signed(PAIR) + "\n", paris_yaml=DOCUMENT)
    evidence, (finding,) = read_evidence(folder, (ISSUER,), NOW)
    assert [item.id for item in evidence] == ["qsa/pci-1"]
    assert str(finding).startswith("evidence/paris.yaml:4:18: error GW0403: the evidence is not signed")


def test_without_an_issuer_unsigned_evidence_counts_and_statements_do_not(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, paris_jwt=signed(PAIR), paris_yaml=DOCUMENT)
    evidence, (finding,) = read_evidence(folder, (), NOW)
    assert [item.id for item in evidence] == ["edge-paris-pci-dss"]
    assert finding.id == "GW0404"


def test_one_number_for_two_contents_counts_for_neither(tmp_path: Path) -> None:
    longer = signed(PAIR, saying(exp=AT + 7_200))
    folder = folder_with(tmp_path, a_jwt=signed(PAIR), b_jwt=longer, c_jwt=signed(PAIR, saying(jti="pci-2")))
    evidence, findings = read_evidence(folder, (ISSUER,), NOW)
    assert [item.id for item in evidence] == ["qsa/pci-2"]
    assert [(finding.id, str(finding.place)) for finding in findings] == [
        ("GW0415", "evidence/a.jwt:1:1"),
        ("GW0415", "evidence/b.jwt:1:1"),
    ]
    assert "evidence/b.jwt:1:1" in findings[0].message


def test_a_copied_file_is_the_same_statement(tmp_path: Path) -> None:
    token = signed(PAIR)
    evidence, findings = read_evidence(folder_with(tmp_path, a_jwt=token, b_jwt=token + "\r\n"), (ISSUER,), NOW)
    assert ([str(item.place) for item in evidence], findings) == (["evidence/a.jwt:1:1"], ())


def test_a_statement_that_was_signed_twice_is_the_same_one(tmp_path: Path) -> None:
    first, second = signed(PAIR), signed(PAIR)
    assert first != second
    evidence, findings = read_evidence(folder_with(tmp_path, a_jwt=first, b_jwt=second), (ISSUER,), NOW)
    assert ([str(item.place) for item in evidence], findings) == (["evidence/a.jwt:1:1"], ())


def test_a_statement_of_the_last_day_there_is_comes_from_the_future(tmp_path: Path) -> None:
    late = signed(PAIR, saying(iat=253_370_764_799, exp=None))
    folder = folder_with(tmp_path, a_jwt=late)
    evidence, findings = read_evidence(folder, (replace(ISSUER, max_age_s=366 * 86_400),), NOW)
    assert (evidence, [each.id for each in findings]) == ((), ["GW0410"])


def test_a_statement_that_cannot_be_read_is_named_from_the_policy(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, a_jwt=signed(PAIR))
    (folder / "b.jwt").write_bytes(b"\xff")
    evidence, findings = read_evidence(folder, (ISSUER,), NOW)
    assert len(evidence) == 1
    assert [(each.id, each.place.file if each.place else "") for each in findings] == [("GW0107", "evidence/b.jwt")]


def test_folders_without_end_give_no_evidence_and_a_finding(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, a_jwt=signed(PAIR))
    folder.joinpath(*["deep"] * (MAX_DEPTH + 1)).mkdir(parents=True)
    evidence, findings = read_evidence(folder, (ISSUER,), NOW)
    assert (evidence, {each.id for each in findings}) == ((), {"GW0102"})


def test_the_same_number_of_two_issuers_is_two_statements(tmp_path: Path) -> None:
    pair = ec_pair()
    other = issuer_of(pair, name="lab", iss="lab.example")
    folder = folder_with(tmp_path, a_jwt=signed(PAIR), b_jwt=signed(pair, saying(iss="lab.example")))
    evidence, findings = read_evidence(folder, (ISSUER, other), NOW)
    assert ([item.id for item in evidence], findings) == (["qsa/pci-1", "lab/pci-1"], ())


async def test_what_was_verified_stands_in_the_snapshot_and_in_its_recording(tmp_path: Path) -> None:
    trusted = [ISSUER]
    collector = EvidenceFiles(folder_with(tmp_path, a_jwt=signed(PAIR)), lambda: trusted)
    snapshot = await collector.collect(NOW)
    assert [item.digest for item in snapshot.evidence] == [digest(signed_text(tmp_path))]
    assert decode(encode(snapshot), Snapshot) == snapshot
    before = encode(snapshot).replace(b',"digest":"' + snapshot.evidence[0].digest.encode() + b'"', b"")
    assert [item.digest for item in decode(before, Snapshot).evidence] == [""]
    trusted.clear()
    assert (await collector.collect(NOW)).evidence == ()
