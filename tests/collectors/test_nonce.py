"""Nonces of attestation results: the one that is given out counts, and neither an older one nor somebody else's."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sealing import sealed
from signing import AT, HERE, NOW, YAML, ec_pair, issuer_of, signed

from collectors.evidence.ear import Appraisal, evidence_in
from collectors.evidence.files import read_evidence
from collectors.evidence.verify import verify
from collectors.recording import decode, encode
from collectors.snapshot import Snapshot
from controller.planning.proofs import attestations
from policy.clauses import AttestationClause
from policy.findings import Finding
from policy.resolved import Issuer, Nonce

PAIR = ec_pair()
OLD, NEW, SITES = "b2xkIG5vbmNlIDE2IG9jdGV0cw", "bmV3IG5vbmNlIDE2IG9jdGV0cw", "c2l0ZSdzIG5vbmNlLCAxNiBvY3Q"
AN_HOUR_AGO = NOW - timedelta(hours=1)
CHALLENGED = {
    "nonces": (Nonce("pool", "paris-module", NEW, AN_HOUR_AGO), Nonce("site", "edge-paris", SITES, AN_HOUR_AGO)),
}


def verifier(**changed: Any) -> Issuer:
    fields: dict[str, Any] = {"standards": ("attestation",), "max_age_s": 86_400, **CHALLENGED, **changed}
    return issuer_of(PAIR, **fields)


def result(nonce: object = None, iat: int = AT - 600, **subject: str) -> dict[str, Any]:
    claims = {
        "iss": "qsa.example",
        "iat": iat,
        "eat_profile": "tag:github.com,2023:veraison/ear",
        "ear.verifier-id": {"developer": "a", "build": "b"},
        "submods": {"cpu0": {"ear.status": "affirming", "ear.trustworthiness-vector": {"hardware": 2}}},
        "subject": subject or {"pool": "paris-module"},
    }
    return claims if nonce is None else {**claims, "eat_nonce": nonce}


def judged(claims: dict[str, Any], issuer: Issuer | None = None) -> Appraisal | str:
    found = verify(signed(PAIR, claims), (issuer or verifier(),), NOW, HERE)
    if isinstance(found, Finding):
        assert found.hint
        return f"{found.id} {found.message}"
    assert isinstance(found, Appraisal)
    return found


def given_out(claims: dict[str, Any], issuer: Issuer | None = None) -> datetime | None:
    found = judged(claims, issuer)
    assert isinstance(found, Appraisal), found
    return found.nonce_at


def test_a_result_with_the_nonce_of_its_subject_is_of_since_then() -> None:
    assert given_out(result(NEW)) == AN_HOUR_AGO
    assert given_out(result([NEW, "somebody-elses-nonce-too"])) == AN_HOUR_AGO
    assert given_out(result(NEW, node="paris-module/gpu-18")) == AN_HOUR_AGO
    assert given_out(result(SITES, site="edge-paris")) == AN_HOUR_AGO


def test_a_result_in_cbor_carries_its_nonce_in_octets() -> None:
    claims: dict[int | str, Any] = {
        1: "qsa.example",
        6: AT - 600,
        10: b"new nonce 16 octets",
        265: "tag:github.com,2023:veraison/ear",
        266: {"cpu0": {1000: 2, 1001: {4: 2}}},
        1004: {0: "a", 1: "b"},
        "subject": {"pool": "paris-module"},
    }
    found = verify(sealed(PAIR, claims), (verifier(),), NOW, HERE)
    assert isinstance(found, Appraisal)
    assert found.nonce_at == AN_HOUR_AGO


@pytest.mark.parametrize(
    ("claims", "start"),
    [
        (result(OLD), "GW0443 the result's nonce is none of those that are given out for the pool `paris-module`"),
        (result([OLD]), "GW0443"),
        (result(SITES), "GW0443"),
        (result(NEW, site="edge-paris"), "GW0443"),
        (result(OLD, node="paris-module/gpu-17"), "GW0443"),
        (result(SITES, node="paris-module/gpu-17"), "GW0443"),
        (result(NEW, iat=AT - 3_661), "GW0444 the result was issued at 2026-05-04T10:58:59+00:00, before its nonce"),
        (result(7), "GW0416 the statement is malformed: `eat_nonce` is no text"),
        (result([NEW, 7]), "GW0416"),
        (result({"nonce": NEW}), "GW0416"),
    ],
)
def test_a_result_with_another_nonce_is_refused(claims: dict[str, Any], start: str) -> None:
    found = judged(claims)
    assert isinstance(found, str)
    assert found.startswith(start)


def test_a_result_without_a_nonce_answers_none() -> None:
    assert given_out(result()) is None
    assert given_out(result([])) is None


def of_parts(**nonces: object) -> dict[str, Any]:
    """A result without a nonce of its own, whose parts repeat these with the data that was bound to their evidence."""
    parts = {
        name: {
            "ear.status": "affirming",
            "ear.trustworthiness-vector": {"hardware": 2},
            "ear.veraison.annotated-evidence": {"snp": {}, "runtime_data_claims": {"nonce": nonce}},
        }
        for name, nonce in nonces.items()
    }
    return {**result(), "submods": parts}


@pytest.mark.parametrize(
    ("claims", "at"),
    [
        (of_parts(cpu0=NEW), AN_HOUR_AGO),
        (of_parts(cpu0=NEW, gpu0=NEW), AN_HOUR_AGO),
        (of_parts(cpu0=NEW, gpu0=OLD), None),
        (of_parts(cpu0=NEW, gpu0=None), None),
        (of_parts(cpu0=[NEW]), None),
        (of_parts(cpu0=OLD), None),
        (of_parts(cpu0=SITES), None),
        ({**of_parts(cpu0=NEW), "eat_nonce": []}, AN_HOUR_AGO),
    ],
)
def test_a_result_answers_the_nonce_that_each_of_its_parts_repeats(claims: dict[str, Any], at: datetime | None) -> None:
    assert given_out(claims) == at


def test_the_nonce_of_the_whole_result_goes_before_those_of_its_parts() -> None:
    assert str(judged({**of_parts(cpu0=NEW), "eat_nonce": OLD})).startswith("GW0443")


def test_where_none_is_given_out_for_the_subject_a_nonce_means_nothing() -> None:
    site_alone = verifier(nonces=CHALLENGED["nonces"][1:])
    assert given_out(result(OLD), site_alone) is None
    assert given_out(result(OLD), verifier(nonces=())) is None
    assert str(judged(result(SITES), site_alone)).startswith("GW0443")


def test_a_nonce_of_one_node_is_not_that_of_another() -> None:
    challenged = verifier(nonces=(Nonce("node", "paris-module/gpu-17", NEW, AN_HOUR_AGO),))
    assert given_out(result(NEW, node="paris-module/gpu-17"), challenged) == AN_HOUR_AGO
    assert str(judged(result(NEW, node="paris-module/gpu-18"), challenged)).startswith("GW0443")
    assert str(judged(result(NEW), challenged)).startswith("GW0443")


def test_clocks_that_differ_make_no_result_younger_than_it_says() -> None:
    assert given_out(result(NEW, iat=AT - 3_640)) == AN_HOUR_AGO - timedelta(seconds=40)


def test_a_clause_that_asks_for_a_nonce_takes_no_result_without_one() -> None:
    clause = AttestationClause((), (), (), (), 7_200, YAML, nonce=True)
    for claims, answers in ((result(NEW), True), (result(), False)):
        found = judged(claims)
        assert isinstance(found, Appraisal)
        item = evidence_in(found)
        assert item is not None
        (attested,) = attestations([item])
        assert clause.met_by(attested) is answers
        assert (attested.since_s(clause) == AT - 3_600) is answers


def test_when_the_nonce_was_given_out_stands_in_the_recording(tmp_path: Path) -> None:
    (folder := tmp_path / "evidence").mkdir()
    (folder / "a.jwt").write_text(signed(PAIR, result(NEW)))
    evidence, findings = read_evidence(folder, (verifier(),), NOW)
    assert findings == ()
    snapshot = Snapshot(NOW, evidence=evidence)
    assert decode(encode(snapshot), Snapshot) == snapshot
    assert [item.attestation.nonce_at for item in evidence if item.attestation] == [AN_HOUR_AGO]
