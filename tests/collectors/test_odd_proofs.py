"""Whatever stands in an envelope, a certificate, a list or an attestation result: a finding, or what it may give."""

import base64
import json
from dataclasses import replace
from typing import Any

from authorities import root_of, trusting
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_crl
from enveloping import PAIR, PASSED, envelope, signer, statement
from hypothesis import example, given, settings
from hypothesis import strategies as st
from signing import HERE, NOW, signed
from test_odd_tokens import EAR, ODD, changed, paths_in
from test_odd_tokens import ISSUER as VERIFIER
from test_odd_tokens import PAIR as VERIFIERS

from collectors.evidence.artefact import vouched
from collectors.evidence.devices import TEES
from collectors.evidence.ear import Appraisal, evidence_in
from collectors.evidence.records import ARTEFACT, Evidence
from collectors.evidence.revocations import Revocations, revocations
from collectors.evidence.svid import named
from collectors.evidence.verify import verify
from policy.catalogue import TITLES
from policy.findings import Finding

ROOT = root_of()
CA = trusting(ROOT)
LEAF = ROOT.workload("spiffe://example.org/site/paris")
GOOD = named(LEAF.pem, (CA,), Revocations(), NOW, HERE)
LIST = ROOT.revoking(ROOT.workload("spiffe://example.org/site/lyon"))
MADE = {"runDetails": {"builder": {"id": "b"}, "metadata": {"finishedOn": "2026-05-01T00:00:00Z"}}}
SIGNED_MODEL = {"resources": [{"digest": "a" * 64}]}
TEXT = ODD.filter(lambda each: "NaN" not in json.dumps(each) and "Infinity" not in json.dumps(each)).map(json.dumps)
KNOWN = load_pem_x509_crl(LIST.encode())
STATEMENTS = [
    statement(),
    statement(MADE, "https://slsa.dev/provenance/v1"),
    statement(SIGNED_MODEL, "https://model_signing/signature/v1.0"),
]


def is_told(found: object) -> bool:
    """A finding that a person can use."""
    if not isinstance(found, Finding):
        return False
    assert found.id in TITLES
    assert found.place == HERE
    assert found.hint
    assert found.message.isprintable()
    return True


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_an_odd_value_anywhere_in_a_statement_is_a_finding_or_means_something(data: st.DataObject) -> None:
    said = data.draw(st.sampled_from(STATEMENTS))
    path = data.draw(st.sampled_from(paths_in(said)))
    odd = envelope(changed(said, path, data.draw(ODD)))
    found = vouched(json.dumps(odd), (signer(),), NOW, HERE)
    if not is_told(found):
        assert isinstance(found, tuple)
        assert {each.subject_kind for each in found} == {ARTEFACT}
        assert {each.subject for each in found} <= set(signer().digests)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_an_odd_value_anywhere_in_an_envelope_is_a_finding(data: st.DataObject) -> None:
    good = envelope(statement(PASSED), PAIR)
    path = data.draw(st.sampled_from([("payload",), ("payloadType",), ("signatures",), ()]))
    odd = changed(good, path, data.draw(ODD))
    assert is_told(vouched(json.dumps(odd), (signer(),), NOW, HERE))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_an_odd_text_is_a_finding_to_each_reader(text: str) -> None:
    assert is_told(vouched(text, (signer(),), NOW, HERE))
    assert is_told(named(text, (CA,), Revocations(), NOW, HERE))
    assert is_told(revocations(text, HERE))


def spoilt(der: bytes, data: st.DataObject, word: str) -> str:
    """The same in PEM with some bytes changed."""
    octets = bytearray(der)
    places = st.integers(0, len(octets) - 1)
    for place, change in data.draw(st.dictionaries(places, st.integers(1, 255), min_size=1, max_size=3)).items():
        octets[place] ^= change
    text = base64.encodebytes(bytes(octets)).decode()
    return f"-----BEGIN {word}-----\n{text}-----END {word}-----\n"


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_certificate_with_a_changed_byte_is_a_finding(data: st.DataObject) -> None:
    """Or the same certificate: the bits of its signature may be counted otherwise, and are not signed."""
    text = spoilt(LEAF.certificate.public_bytes(Encoding.DER), data, "CERTIFICATE")
    found = named(text, (CA,), Revocations(), NOW, HERE)
    assert is_told(found) or found == GOOD


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_list_with_a_changed_byte_is_a_finding_nobodys_or_the_same(data: st.DataObject) -> None:
    der = base64.b64decode("".join(LIST.splitlines()[1:-1]))
    found = revocations(spoilt(der, data, "X509 CRL"), HERE)
    if isinstance(found, Finding):
        assert is_told(found)
    else:
        strict = named(LEAF.pem, (trusting(ROOT, needs_crl=True),), Revocations(found), NOW, HERE)
        is_same = found[0].tbs_certlist_bytes == KNOWN.tbs_certlist_bytes
        assert is_same or (isinstance(strict, Finding) and strict.id == "GW0437")


@settings(max_examples=200)
@given(TEXT)
@example('{"sgx": {}}')
@example('{"sgx": null}')
@example('{"snp": {"measurement": ""}}')
def test_odd_evidence_behind_an_attestation_result_affirms_nothing_beyond_its_kind(text: str) -> None:
    odd = json.loads(text)
    part: dict[str, Any] = {**EAR["submods"]["cpu0"], "ear.veraison.annotated-evidence": odd}
    found = verify(signed(VERIFIERS, {**EAR, "submods": {"cpu0": part}}), (VERIFIER,), NOW, HERE)
    known = {name: odd[name] for name in TEES if name in odd} if isinstance(odd, dict) else {}
    if not all(isinstance(claims, dict) for claims in known.values()):
        assert is_told(found), "an environment that is known, without an object of claims"
        return
    assert isinstance(found, Appraisal)
    assert evidence_in(found) is None
    proved = evidence_in(replace(found, subject=("pool", "gpu")))
    assert isinstance(proved, Evidence)
    assert proved.attestation is not None
    assert set(proved.attestation.tees) & set(TEES.values()) == {TEES[name] for name in known}
    assert proved.attestation.devices == ()
