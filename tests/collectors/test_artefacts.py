"""Statements about models: those that others signed, and what a signer might write that must not count."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from enveloping import DONE, PAIR, PASSED, VARIANT, envelope, judged, reason, said, signer, statement
from jwt.algorithms import ECAlgorithm
from signing import HERE, NOW, YAML, Pair, ec_pair, ed_pair, rsa_pair

from collectors.evidence.artefact import vouched
from collectors.evidence.envelope import MAX_CHARACTERS, authenticated
from collectors.evidence.files import read_evidence
from collectors.evidence.records import FOREVER, UNDATED
from policy.findings import Finding
from policy.resolved import Issuer, IssuerKey, Revoked

CASES = Path(__file__).parents[1] / "cases" / "models"


def test_a_summary_says_the_level_of_the_artefact_from_when_it_was_verified() -> None:
    found = said(envelope(statement()))
    assert (found.subject_kind, found.subject, found.standard, found.version) == ("artefact", VARIANT, "slsa", (3,))
    assert (found.issued_at, found.expires_at) == (datetime(2026, 5, 1, tzinfo=UTC), FOREVER)
    assert found.issuer == "releases"
    aged = said(envelope(statement()), signer(max_age_s=30 * 86_400))
    assert aged.expires_at == datetime(2026, 5, 31, tzinfo=UTC)


def test_the_highest_level_of_the_build_track_counts_and_no_other_word() -> None:
    levels = ["SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_4", "SLSA_BUILD_LEVEL_99", "FEDRAMP", 4]
    assert said(envelope(statement({**PASSED, "verifiedLevels": levels}))).version == (3,)


def test_provenance_by_itself_is_of_the_lowest_level() -> None:
    made = {"buildDefinition": {}, "runDetails": {"builder": {"id": "b"}, "metadata": {"finishedOn": DONE}}}
    found = said(envelope(statement(made, "https://slsa.dev/provenance/v1")))
    assert (found.standard, found.version, found.issued_at) == ("slsa", (1,), datetime(2026, 5, 1, tzinfo=UTC))
    undated = {"runDetails": {"builder": {"id": "b"}}}
    assert said(envelope(statement(undated, "https://slsa.dev/provenance/v1"))).issued_at == UNDATED


GONE = {"classes": ["faces", "biometric"], "subjects": ["passers-by"], "evaluatedOn": DONE}
REMOVAL = "https://gridwright.dev/data-removal/v1"
TESTING = signer(standards=("data-removal",))


def test_a_test_of_what_a_model_removes_names_the_data_from_when_it_was_done() -> None:
    found = said(envelope(statement(GONE, REMOVAL)), TESTING)
    assert (found.subject, found.standard, found.version) == (VARIANT, "data-removal", (1,))
    assert [str(each) for each in found.removes] == ["class `biometric`", "class `faces`", "subject `passers-by`"]
    assert (found.issued_at, found.expires_at) == (datetime(2026, 5, 1, tzinfo=UTC), FOREVER)
    aged = said(envelope(statement(GONE, REMOVAL)), replace(TESTING, max_age_s=30 * 86_400))
    assert aged.expires_at == datetime(2026, 5, 31, tzinfo=UTC)
    assert said(envelope(statement())).removes == ()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"classes": "faces"}, "`classes` is no list of words"),
        ({"subjects": [1]}, "`subjects` is no list of words"),
        ({"classes": ["two words"]}, "`classes` is no list of words"),
        ({"classes": [], "subjects": []}, "it names neither `classes` nor `subjects`"),
        ({"result": "FAILED"}, "`result` is no member of a removal"),
        ({"expires": DONE}, "`expires` is no member of a removal"),
        ({"Classes": ["faces"]}, "`Classes` is no member of a removal"),
        ({"evaluatedOn": "yesterday"}, "`evaluatedOn` is no date and time with its offset"),
    ],
)
def test_a_removal_that_cannot_be_read_is_refused(changed: dict[str, Any], told: str) -> None:
    refused = reason(envelope(statement(GONE | changed, REMOVAL)), TESTING)
    assert refused.startswith("GW0424")
    assert told in refused


def test_the_statement_on_the_page_is_one_that_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text()
    text = next(each for each in re.findall(r"```json\n(.+?)```", page, re.DOTALL) if REMOVAL in each)
    shown = json.loads(text.replace("c8a835a7966b…", "a" * 64))
    assert said(envelope(shown), TESTING).removes


def test_only_an_issuer_that_may_speaks_of_what_is_removed() -> None:
    assert reason(envelope(statement(GONE, REMOVAL))).startswith("GW0414")


@pytest.mark.parametrize("pair", [ec_pair(), ed_pair(), rsa_pair(2048), rsa_pair(2048, algorithm="PS256")])
def test_each_kind_of_key_signs(pair: Pair) -> None:
    assert said(envelope(statement(), pair), signer(pair)).subject == VARIANT


def test_each_artefact_of_the_issuers_models_is_vouched_for_and_no_other() -> None:
    names = ["a" * 64, "b" * 64, "c" * 64]
    subject = [{"name": each[:2], "digest": {"sha256": each, "sha512": "0"}} for each in names]
    found = judged(envelope(statement(subject=subject)))
    assert [item.subject for item in found] == ["sha256:" + "a" * 64, "sha256:" + "b" * 64]
    assert len({item.id for item in found}) == 2


def tampered(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    made = envelope(statement())
    change(made)
    return made


def flipped(made: dict[str, Any]) -> None:
    payload = json.loads(base64.b64decode(made["payload"]))
    payload["predicate"] = {**payload["predicate"], "verifiedLevels": ["SLSA_BUILD_LEVEL_4"]}
    made["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "GW0422 the signed statement is malformed: it is not JSON"),
        ("[]", "GW0422"),
        ('{"payload": "", "payload": ""}', "GW0422"),
        ('{"a": ' * 5_000, "GW0422"),
        ("x" * (MAX_CHARACTERS + 1), "GW0422 the signed statement is malformed: it has 1048577 characters"),
        (json.dumps(envelope(statement())) + "\n" + json.dumps(envelope(statement())), "GW0422"),
        ({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "messageSignature": {}}, "GW0422"),
        (envelope(statement(), payload="%%"), "GW0422 the signed statement is malformed: `payload` is not base64"),
        (envelope(statement(), payload=7), "GW0422"),
        (envelope(statement(), payloadType=None), "GW0422"),
        (envelope(statement(), payloadType="\ud800"), "GW0422"),
        (envelope(statement(), signatures=[]), "GW0422"),
        (envelope(statement(), signatures=["sig"]), "GW0422"),
        (envelope(statement(), signatures=[{"sig": "AA=="}] * 9), "GW0422"),
        (envelope(statement(), signatures=[{"sig": None}]), "GW0422 the signed statement is malformed: `sig`"),
        (
            envelope(statement(), signatures=[*envelope(statement())["signatures"], {"sig": "%"}]),
            "GW0422 the signed statement is malformed: `sig` is not base64",
        ),
        (envelope(statement(), signatures=[{"sig": ""}]), "GW0423 no key of any Issuer fits a signature of the file"),
        (envelope(statement(), signatures=[{"sig": "AA==", "keyid": ["2026"]}]), "GW0423"),
        (envelope(statement(), ec_pair()), "GW0423"),
        (
            envelope(statement(), payload_type="text/plain"),
            "GW0422 the signed statement is malformed: its `payloadType`",
        ),
        (tampered(lambda made: made.update(payloadType="text/plain")), "GW0423"),
        (tampered(flipped), "GW0423"),
        (envelope(b"{"), "GW0424 the in-toto statement is malformed: it is not JSON"),
        (envelope(b'{"_type": "a", "_type": "b"}'), "GW0424"),
        (envelope(b"\xff"), "GW0424"),
        (
            envelope(statement(_type="https://in-toto.io/Statement/v0.1")),
            "GW0424 the in-toto statement is malformed: its",
        ),
        (envelope(statement(subject=[])), "GW0424"),
        (envelope(statement(subject=[{"digest": {"sha512": "a" * 128}}])), "GW0424"),
        (envelope(statement(subject=[{"digest": {"sha256": "A" * 64}}])), "GW0424"),
        (envelope(statement(subject=[{"digest": {"sha256": "a" * 64}}, {}])), "GW0424"),
        (envelope(statement(None)), "GW0424 the in-toto statement is malformed: there is no object `predicate`"),
        (envelope(statement({**PASSED, "timeVerified": "yesterday"})), "GW0424"),
        (envelope(statement({}, "https://slsa.dev/provenance/v1")), "GW0424"),
        (
            envelope(statement({"runDetails": {"metadata": {"finishedOn": 7}}}, "https://slsa.dev/provenance/v1")),
            "GW0424",
        ),
        (envelope(statement({}, "https://spdx.dev/Document")), "GW0425 the predicate `https://spdx.dev/Document` is"),
        (envelope(statement({}, "https://slsa.dev/provenance/v0.2")), "GW0425"),
        (envelope(statement({**PASSED, "verificationResult": "FAILED"})), "GW0426 the verifier's result is `FAILED`"),
        (envelope(statement({**PASSED, "verificationResult": None})), "GW0426"),
        (envelope(statement({**PASSED, "verifiedLevels": []})), "GW0427"),
        (envelope(statement({**PASSED, "verifiedLevels": "SLSA_BUILD_LEVEL_3"})), "GW0427"),
        (envelope(statement({**PASSED, "verifiedLevels": ["SLSA_BUILD_LEVEL_UNEVALUATED"]})), "GW0427"),
        (envelope(statement({**PASSED, "timeVerified": "2026-05-04T12:01:01Z"})), "GW0410"),
        (envelope(statement(subject=[{"digest": {"sha256": "c" * 64}}])), "GW0429 none of its digests is of a variant"),
    ],
)
def test_what_must_not_count_is_refused_for_its_own_reason(text: str | dict[str, Any], start: str) -> None:
    assert reason(text).startswith(start)


def test_an_issuer_vouches_for_no_more_than_it_may() -> None:
    made = envelope(statement())
    assert reason(made, signer(standards=("model-signature",))) == "GW0414 `releases` may not certify `slsa`"
    assert reason(made, signer(digests=())).startswith("GW0429")
    assert reason(made, signer(max_age_s=86_400)).startswith("GW0411")
    assert reason(made, signer(algorithms=("ES384",))).startswith("GW0423")
    weak = rsa_pair(1024)
    assert reason(envelope(statement(), weak), signer(weak)).startswith("GW0423")


def test_an_age_is_asked_of_a_statement_without_a_date() -> None:
    undated = envelope(statement({"runDetails": {}}, "https://slsa.dev/provenance/v1"))
    assert reason(undated, signer(max_age_s=60)).startswith("GW0424 the in-toto statement is malformed: it has no date")


def upstream(name: str, **changed: Any) -> tuple[str, Issuer]:
    """A model's signature by others, and its signer with the public key that they tell of."""
    public = load_pem_public_key((CASES / "signing-key-pub.pem").read_bytes())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    jwk = {each: str(value) for each, value in json.loads(ECAlgorithm.to_jwk(public)).items() if each != "key_ops"}
    key = IssuerKey("", tuple(jwk.items()), YAML)
    text = (CASES / f"{name}.sig").read_text()
    payload = json.loads(base64.b64decode(json.loads(text)["dsseEnvelope"]["payload"]))
    whole = "sha256:" + payload["subject"][0]["digest"]["sha256"]
    return text, replace(signer(algorithms=("ES384",), keys=(key,), digests=(whole,)), **changed)


@pytest.mark.parametrize("name", ["v0.3.1-elliptic-key", "v1.0.1-elliptic-key", "v1.0.1-certificate"])
def test_models_that_others_signed_count_with_their_key(name: str) -> None:
    text, issuer = upstream(name)
    found = said(text, issuer)
    assert (found.subject, found.standard, found.version) == (issuer.digests[0], "model-signature", (1,))
    assert (found.issued_at, found.expires_at) == (UNDATED, FOREVER)
    assert reason(text, replace(issuer, keys=(PAIR.public,), algorithms=("ES256",))).startswith("GW0423")
    assert reason(text, replace(issuer, max_age_s=60)).startswith("GW0424")


def test_a_single_file_of_a_model_that_others_signed_counts_by_its_own_digest() -> None:
    file = "sha256:" + hashlib.sha256((CASES / "signme-1").read_bytes()).hexdigest()
    text, issuer = upstream("v1.0.1-certificate", digests=(file,))
    assert said(text, issuer).subject == file


def test_a_certificate_in_a_bundle_is_no_key() -> None:
    text, issuer = upstream("v1.0.0-sigstore")
    assert reason(text, issuer).startswith("GW0423")


def test_a_copy_that_was_tampered_with_is_refused() -> None:
    text, issuer = upstream("v1.0.1-elliptic-key")
    bundle = json.loads(text)
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"]).replace(b"signme-1", b"signme-9")
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    assert reason(bundle, issuer).startswith("GW0423")


@pytest.mark.parametrize(
    ("resources", "start"),
    [
        ([{"digest": "b" * 64}, {"digest": "a" * 64}], "GW0428 the digests of the model's files do not make"),
        ([{"digest": "a" * 64}, {"digest": "b" * 64}, {"digest": "c" * 64}], "GW0428"),
        ([{"digest": "a" * 64}, {"digest": "b" * 64}, {"digest": "sha512:c"}], "GW0424"),
        ([{"digest": "a" * 64}, "b" * 64], "GW0424"),
        ([], "GW0424"),
        (None, "GW0424"),
    ],
)
def test_the_files_of_a_signed_model_make_its_digest(resources: Any, start: str) -> None:
    whole = hashlib.sha256(bytes.fromhex("a" * 64 + "b" * 64)).hexdigest()
    kind, subject = "https://model_signing/signature/v1.0", [{"digest": {"sha256": whole}}]
    good = {"resources": [{"digest": "a" * 64}, {"digest": "b" * 64}]}
    assert len(judged(envelope(statement(good, kind, subject=subject)))) == 2
    assert reason(envelope(statement({"resources": resources}, kind, subject=subject))).startswith(start)
    assert reason(envelope(statement(good, kind))).startswith("GW0428")


def test_the_example_of_the_envelopes_specification_fits_its_key() -> None:
    case = json.loads((CASES / "dsse.json").read_text())
    payload = base64.b64decode(case["envelope"]["payload"])
    assert authenticated(case["envelope"]["payloadType"], payload).decode() == case["pae"]
    numbers = ec.EllipticCurvePublicNumbers(
        int(case["publicKey"]["x"]), int(case["publicKey"]["y"]), ec.SECP256R1()
    ).public_key()
    jwk = {each: str(value) for each, value in json.loads(ECAlgorithm.to_jwk(numbers)).items() if each != "key_ops"}
    issuer = signer(keys=(IssuerKey("", tuple(jwk.items()), YAML),))
    assert reason(case["envelope"], issuer).startswith("GW0422 the signed statement is malformed: its `payloadType`")
    assert reason(case["envelope"]).startswith("GW0423")


def test_both_ways_to_write_an_ecdsa_signature_are_read() -> None:
    made = envelope(statement())
    r, s = decode_dss_signature(base64.b64decode(made["signatures"][0]["sig"]))
    plain = base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()
    assert said({**made, "signatures": [{"sig": plain}]}).subject == VARIANT
    assert said({**made, "signatures": [{"sig": "AA=="}, *made["signatures"]]}).subject == VARIANT


def test_files_in_the_folder_are_read_once_whatever_their_number(tmp_path: Path) -> None:
    (folder := tmp_path / "evidence").mkdir()
    text = json.dumps(envelope(statement()))
    for name in ("a.sig", "b.sigstore", "c.dsse", "d.jsonl", "d.sigstore.json"):
        (folder / name).write_text(text)
    (folder / "e.sig").write_text("{}")
    (folder / "f.json").write_text("not looked at")
    evidence, findings = read_evidence(folder, (signer(),), NOW)
    assert [item.subject for item in evidence] == [VARIANT]
    assert [(each.id, str(each.place)) for each in findings] == [
        ("GW0422", "evidence/e.sig:1:1"),
        ("GW0441", "evidence/f.json:1:1"),
    ]


LAB_PAIR = ec_pair("lab")
LAB = signer(LAB_PAIR, name="lab", iss="lab.example")


def signed_by_both(said: Any = None) -> dict[str, Any]:
    """An envelope with the signature of the releases first, and that of the lab behind it."""
    first, second = (envelope(said or statement(), pair) for pair in (PAIR, LAB_PAIR))
    return {**first, "signatures": [*first["signatures"], *second["signatures"]]}


def test_each_signer_of_a_statement_vouches_for_it_in_files_of_their_own(tmp_path: Path) -> None:
    (folder := tmp_path / "evidence").mkdir()
    for name, pair in (("a.sig", PAIR), ("b.sig", LAB_PAIR), ("c.sig", LAB_PAIR)):
        (folder / name).write_text(json.dumps(envelope(statement(), pair)))
    evidence, findings = read_evidence(folder, (signer(), LAB), NOW)
    assert [(each.issuer, str(each.place)) for each in evidence] == [
        ("releases", "evidence/a.sig:1:1"),
        ("lab.example", "evidence/b.sig:1:1"),
    ]
    assert (len({each.digest for each in evidence}), len({each.id for each in evidence}), findings) == (1, 2, ())


def test_each_signer_of_one_envelope_vouches_for_it(tmp_path: Path) -> None:
    (folder := tmp_path / "evidence").mkdir()
    (folder / "a.sig").write_text(json.dumps(signed_by_both()))
    (folder / "b.sig").write_text(json.dumps(envelope(statement(), LAB_PAIR)))
    evidence, findings = read_evidence(folder, (signer(), LAB), NOW)
    assert [each.issuer for each in evidence] == ["releases", "lab.example"]
    assert findings == ()
    made = signed_by_both()
    twice = {**made, "signatures": [*made["signatures"], *made["signatures"]]}
    found = vouched(json.dumps(twice), (LAB, signer()), NOW, HERE)
    assert not isinstance(found, Finding)
    assert [each.issuer for each in found] == ["releases", "lab.example"]


def test_those_signers_count_who_may_state_it_and_a_refusal_tells_that_none_may() -> None:
    barred = signer(standards=("model-signature",))
    found = vouched(json.dumps(signed_by_both()), (barred, LAB), NOW, HERE)
    assert not isinstance(found, Finding)
    assert [each.issuer for each in found] == ["lab.example"]
    refused = vouched(json.dumps(signed_by_both()), (barred, replace(LAB, digests=())), NOW, HERE)
    assert isinstance(refused, Finding)
    assert f"{refused.id} {refused.message}" == "GW0414 `releases` may not certify `slsa`"


def test_what_one_signer_has_revoked_the_other_still_says() -> None:
    mark = said(envelope(statement())).digest
    wary = signer(revoked=(Revoked("statement", f"sha256:{mark}", YAML),))
    assert reason(signed_by_both(), wary).startswith("GW0430")
    found = vouched(json.dumps(signed_by_both()), (wary, LAB), NOW, HERE)
    assert not isinstance(found, Finding)
    assert [each.issuer for each in found] == ["lab.example"]


def test_a_bundle_under_the_name_that_sigstore_gives_it_is_read(tmp_path: Path) -> None:
    (folder := tmp_path / "evidence").mkdir()
    (folder / "m.sigstore.json").write_text(json.dumps(envelope(statement())))
    (item,), findings = read_evidence(folder, (signer(),), NOW)
    assert (item.subject, findings) == (VARIANT, ())
    assert read_evidence(folder, (), NOW + timedelta(days=1))[0] == ()
