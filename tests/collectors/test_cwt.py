"""Tokens in CBOR: those that others signed, and that they go through every check of those in JSON."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealing import sealed
from signing import AT, HERE, NOW, YAML, ec_pair, ed_pair, issuer_of, rsa_pair, signed

from collectors.evidence import cose
from collectors.evidence.ear import Appraisal
from collectors.evidence.files import read_evidence
from collectors.evidence.records import Evidence
from collectors.evidence.refusals import RefusedError
from collectors.evidence.token import is_signed, open_token
from collectors.evidence.verify import verify
from policy.catalogue import TITLES
from policy.findings import Finding
from policy.resolved import Issuer, IssuerKey, Revoked

CASES = Path(__file__).parents[1] / "cases" / "cwt"
RFC = json.loads((CASES / "rfc8392.json").read_text())
COSE = json.loads((CASES / "cose.json").read_text())
PAIR = ec_pair()
ISSUER = issuer_of(PAIR, standards=("pci-dss", "attestation"), max_age_s=86_400)
EAR: dict[int | str, Any] = {
    1: "qsa.example",
    6: AT - 600,
    265: "tag:ietf.org,2026:rats/ear#04",
    1004: {0: "https://veraison-project.org", 1: "vts 0.0.1"},
    266: {"PSA": {1000: 2, 1001: {0: 2, 2: 3, 4: -2}}},
    "subject": {"pool": "paris-module"},
}
STATEMENT: dict[int | str, Any] = {
    1: "qsa.example",
    6: AT - 3_600,
    4: AT + 3_600,
    7: b"\x0b\x71",
    "subject": {"site": "edge-paris"},
    "claim": {"standard": "pci-dss", "version": "4.0"},
}


def key(jwk: dict[str, str]) -> IssuerKey:
    return IssuerKey(jwk.get("kid", ""), tuple(jwk.items()), YAML)


def judged(token: bytes, issuer: Issuer = ISSUER, now: datetime = NOW) -> Evidence | Appraisal | Finding:
    return verify(token, (issuer,), now, HERE)


def reason(token: bytes, issuer: Issuer = ISSUER, now: datetime = NOW) -> str:
    found = judged(token, issuer, now)
    assert isinstance(found, Finding), found
    assert (found.place, bool(found.hint)) == (HERE, True)
    return f"{found.id} {found.message}"


def but(claims: dict[int | str, Any], **changed: Any) -> dict[int | str, Any]:
    """The claims, changed by their numbers, as c6=…; those that are None are left out."""
    numbered = {int(name.removeprefix("c")): value for name, value in changed.items()}
    return {name: value for name, value in {**claims, **numbered}.items() if value is not None}


def psa(**changed: Any) -> dict[int | str, Any]:
    """A result on one part, changed by its numbers, as c1000=…."""
    return {**EAR, 266: {"PSA": but(EAR[266]["PSA"], **changed)}}


def within_psa(**claims: Any) -> bytes:
    """A result on one part, with further claims of it by their names."""
    return sealed(PAIR, {**EAR, 266: {"PSA": {**EAR[266]["PSA"], **claims}}})


def test_the_signed_token_of_rfc_8392_is_opened_with_its_key() -> None:
    issuer = issuer_of(PAIR, keys=(key(RFC["key"]),), iss="coap://as.example.com")
    opened = open_token(bytes.fromhex(RFC["signed"]), (issuer,), HERE)
    assert opened.claims == RFC["claims"]
    at = datetime.fromtimestamp(RFC["claims"]["iat"], UTC)
    assert reason(bytes.fromhex(RFC["signed"]), issuer, at).startswith("GW0416 the statement is malformed: `subject`")
    assert reason(bytes.fromhex(RFC["signed"]), replace(issuer, keys=(PAIR.public,))).startswith("GW0405")
    unnamed = replace(issuer, keys=(replace(PAIR.public, kid="AsymmetricECDSA256"),))
    assert reason(bytes.fromhex(RFC["signed"]), unnamed).startswith("GW0407")


def test_the_token_of_rfc_8392_with_a_shared_key_is_no_signed_one() -> None:
    assert reason(bytes.fromhex(RFC["maced"])) == (
        "GW0416 the statement is malformed: expected COSE_Sign1 with its tag, 18"
    )


COSE_OUTCOMES = {
    "ecdsa-sig-02: P-384": "ES384 is good",
    "sign-pass-01: algorithm not protected": "no algorithm",
    "sign-pass-02: external data": "ES256 is bad",
    "sign-pass-03: no tag": "expected COSE_Sign1 with its tag, 18",
    "sign-fail-01: wrong tag": "expected COSE_Sign1 with its tag, 18",
    "sign-fail-02: changed": "ES256 is bad",
    "sign-fail-03: unknown algorithm": "-999 is not known",
    "sign-fail-04: unknown algorithm by name": "unknown is not known",
    "sign-fail-06: added to the protected header": "ES256 is bad",
    "sign-fail-07: taken from the protected header": "ES256 is bad",
}


@pytest.mark.parametrize("name", COSE["messages"])
def test_the_messages_of_the_cose_working_group_are_judged_as_they_say(name: str) -> None:
    """But three that they take: nothing here has external data, and what may be taken in two ways is not taken."""
    try:
        message = cose.taken_apart(bytes.fromhex(COSE["messages"][name]), HERE)
    except RefusedError as refused:
        found = refused.finding.message.removeprefix("the statement is malformed: ")
    else:
        algorithm = message.algorithm
        if algorithm is None:
            found = "no algorithm"
        elif algorithm in cose.ALGORITHMS.values():
            public = key(COSE["keys"][message.kid])
            good = is_signed(message.signed, message.signature, public, str(algorithm))
            found = f"{algorithm} is {'good' if good else 'bad'}"
        else:
            found = f"{algorithm} is not known"
    assert found == COSE_OUTCOMES[name]


def test_a_result_in_cbor_is_what_it_is_in_json() -> None:
    found = judged(sealed(PAIR, EAR))
    assert isinstance(found, Appraisal)
    in_json = {
        "iss": "qsa.example",
        "iat": AT - 600,
        "eat_profile": "tag:ietf.org,2026:rats/ear#04",
        "ear_verifier_id": {"developer": "https://veraison-project.org", "build": "vts 0.0.1"},
        "submods": {
            "PSA": {
                "ear_status": "affirming",
                "ear_trustworthiness_vector": {"instance-identity": 2, "executables": 3, "hardware": -2},
            }
        },
        "subject": {"pool": "paris-module"},
    }
    same = verify(signed(PAIR, in_json), (ISSUER,), NOW, HERE)
    assert isinstance(same, Appraisal)
    assert replace(found, digest="") == replace(same, digest="")
    assert found.subject == ("pool", "paris-module")
    (part,) = found.parts
    assert part.claims == (("executables", 3), ("hardware", -2), ("instance-identity", 2))


def test_the_example_of_the_draft_is_contraindicated_in_cbor_too() -> None:
    example = {265: EAR[265], 6: 1_666_529_184, 1004: EAR[1004], 1002: b"lifeboatman"}
    submods = {"PSA": {1000: 96, 1001: {0: 2, 2: 96, 4: 2}, 1003: ["https://veraison.example/policy/1/60a0068d"]}}
    issuer = replace(ISSUER, iss="https://veraison-project.org")
    at = datetime.fromtimestamp(1_666_529_184, UTC)
    assert reason(sealed(PAIR, {**example, 266: submods}), issuer, at) == (
        "GW0418 `PSA` is not affirmed: its status is contraindicated"
    )


def test_a_statement_may_be_in_cbor() -> None:
    found = judged(sealed(PAIR, STATEMENT, before=b"\xd8\x3d\xd2"))
    assert isinstance(found, Evidence)
    assert (found.id, found.subject, found.version) == ("qsa/C3E", "edge-paris", (4, 0))
    assert found.expires_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize("pair", [ec_pair(), ed_pair(), rsa_pair(2048), rsa_pair(2048, algorithm="PS256")])
def test_every_kind_of_key_signs_in_cbor(pair: Any) -> None:
    assert isinstance(judged(sealed(pair, STATEMENT), issuer_of(pair)), Evidence)


@pytest.mark.filterwarnings("ignore:The RSA key")
def test_a_short_key_and_a_shared_one_are_refused_in_cbor() -> None:
    weak = rsa_pair(1024)
    assert reason(sealed(weak, STATEMENT), issuer_of(weak)).startswith("GW0406")
    assert reason(sealed(PAIR, STATEMENT, p1=5)) == (
        "GW0406 the signature cannot be relied on: the algorithm `5` is not allowed"
    )
    assert reason(sealed(PAIR, STATEMENT, p1=None)).startswith("GW0406")
    assert reason(sealed(PAIR, STATEMENT, {1: -7, 4: b"2026"}, p1=None)).startswith("GW0406")


@pytest.mark.parametrize(
    ("token", "start"),
    [
        (sealed(PAIR, but(STATEMENT, c1="other.example")), "GW0404"),
        (sealed(PAIR, STATEMENT, {4: b"2025"}), "GW0405 `qsa` has no key `2025`"),
        (sealed(PAIR, STATEMENT, {4: b"\xff"}), "GW0405"),
        (sealed(ec_pair(), STATEMENT), "GW0407"),
        (sealed(PAIR, but(STATEMENT, c4=AT - 61)), "GW0408"),
        (sealed(PAIR, but(STATEMENT, c6=AT + 61, c5=AT + 61)), "GW0410"),
        (sealed(PAIR, but(STATEMENT, c6=AT - 90_000)), "GW0411"),
        (sealed(PAIR, but(STATEMENT, c3="argo")), "GW0412 the statement is for `argo`"),
        (sealed(PAIR, but(STATEMENT, c4=AT - 3_600)), "GW0401"),
        (sealed(PAIR, {**STATEMENT, "subject": {"site": "edge-lyon"}}), "GW0413"),
        (sealed(PAIR, {**STATEMENT, "claim": {"standard": "iso-27001", "version": "1"}}), "GW0414"),
        (sealed(PAIR, but(STATEMENT, c8={1: 2})), "GW0416 the statement is malformed: `8`: Extra inputs"),
        (sealed(PAIR, psa(c1001={4: 96})), "GW0417 `PSA` is contraindicated by its claims"),
        (sealed(PAIR, psa(c1001=None)), "GW0418 `PSA` is not affirmed: no claim vouches for it"),
        (sealed(PAIR, psa(c1000=96)), "GW0418 `PSA` is not affirmed: its status is contraindicated"),
        (sealed(PAIR, psa(c1000=3)), "GW0416"),
        (sealed(PAIR, psa(c1001={8: 2})), "GW0416"),
        (sealed(PAIR, psa(c1001={4: b"\x02"})), "GW0416"),
        (
            sealed(PAIR, {**EAR, 266: {"PSA": b"\xd2\x80"}}),
            "GW0416 the statement is malformed: there is no object `PSA`",
        ),
        (sealed(PAIR, {**EAR, 266: {1: EAR[266]["PSA"], "1": EAR[266]["PSA"]}}), "GW0416"),
    ],
)
def test_each_refusal_of_a_token_in_json_is_one_in_cbor(token: bytes, start: str) -> None:
    assert reason(token).startswith(start)


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (b"", "expected COSE_Sign1 with its tag"),
        (sealed(PAIR, STATEMENT, before=b""), "expected COSE_Sign1 with its tag"),
        (sealed(PAIR, STATEMENT, before=b"\xd8\x3d"), "expected COSE_Sign1 with its tag"),
        (sealed(PAIR, STATEMENT, before=b"\xd8\x12"), "expected COSE_Sign1 with its tag"),
        (sealed(PAIR, STATEMENT) + b"\x00", "something stands behind it"),
        (sealed(PAIR, STATEMENT)[:-1], "its message cannot be read"),
        (sealed(PAIR, STATEMENT) + b"\x00" * cose.MAX_OCTETS, "octets, over 65536"),
        (b"\xd2\x83\x40\xa0\x40", "expected its two headers"),
        (b"\xd2\x84\x40\xa0\xf6\x40", "expected its two headers"),
        (b"\xd2\x84\x41\x01\xa0\x40\x40", "its protected header is no map"),
        (sealed(PAIR, STATEMENT, p2=[-70_001]), "`crit`"),
        (sealed(PAIR, STATEMENT, {2: [1]}), "`crit`"),
        (sealed(PAIR, STATEMENT, {1: -7}), "a parameter stands in both"),
        (sealed(PAIR, STATEMENT, {4: "2026"}), "its `kid` is no octets"),
        (sealed(PAIR, [1]), "its payload is no map"),
        (sealed(PAIR, but(STATEMENT, c6=cbor2.CBORTag(1, AT))), "its payload cannot be read"),
        (sealed(PAIR, but(STATEMENT, c6=cbor2.CBORTag(999, AT))), "its payload cannot be read"),
        (sealed(PAIR, but(STATEMENT, c9=cbor2.CBORTag(28, [cbor2.CBORTag(29, 0)]))), "its payload cannot be read"),
        (sealed(PAIR, b"\xa2\x01\x60\x01\x60"), "its payload cannot be read"),
        (sealed(PAIR, b"\xbf\xff"), "its payload cannot be read"),
        (sealed(PAIR, b"\x81" * 400 + b"\x00"), "its payload cannot be read"),
        (sealed(PAIR, b"\xa1\x09\xf7"), "a value in it is none of JSON's"),
        (sealed(PAIR, b"\xa1\x09\xf0"), "a value in it is none of JSON's"),
        (sealed(PAIR, but(STATEMENT, c6=float("nan"))), "a value in it is none of JSON's"),
        (sealed(PAIR, but(STATEMENT, c4=float("inf"))), "a value in it is none of JSON's"),
        (sealed(PAIR, b"\xa1\xf5\x01"), "a key in it is neither"),
        (sealed(PAIR, b"\xa1\x41\x01\x01"), "a key in it is neither"),
        (sealed(PAIR, {**STATEMENT, "exp": AT + 90_000}), "`exp` stands there as text, and has a number"),
        (sealed(PAIR, {**EAR, "ear_status": "contraindicated"}), "`ear_status` stands there as text, and has a number"),
        (sealed(PAIR, {**EAR, "ear.status": "contraindicated"}), "`ear.status` stands there as text, and has a number"),
        (within_psa(ear_status="contraindicated"), "`ear_status` stands there as text, and has a number"),
        (within_psa(ear_trustworthiness_vector={"hardware": 96}), "`ear_trustworthiness_vector` stands there as text"),
        (within_psa(ear_attester_claims={}), "`ear_attester_claims` stands there as text, and has a number"),
        (within_psa(oemboot=False), "`oemboot` stands there as text, and has a number"),
        (within_psa(secboot=False), "`secboot` stands there as text, and has a number"),
        (sealed(PAIR, psa(c1001={4: 2, "hardware": 96})), "`hardware` stands there as text, and has a number"),
        (sealed(PAIR, psa(c1001={"hardware": 2})), "`hardware` stands there as text, and has a number"),
        (sealed(PAIR, but(EAR, c1004={0: "vts", "build": "1"})), "`build` stands there as text, and has a number"),
        (
            sealed(PAIR, but(EAR, c1004={0: "vts", 1: "1", "developer": "other"})),
            "`developer` stands there as text, and has a number",
        ),
        (sealed(PAIR, psa(c266={"gpu": {1000: 96}})), "`PSA` has `submods` of its own, and no part may"),
        (sealed(PAIR, b"\xa1\xf9\x44\x00\x01"), "a key in it is neither"),
    ],
    ids=lambda each: each if isinstance(each, str) else "token",
)
def test_what_is_no_token_in_cbor_is_malformed(token: bytes, told: str) -> None:
    found = reason(token)
    assert found.startswith("GW0416 the statement is malformed: ")
    assert told in found


def test_a_revoked_token_in_cbor_does_not_count() -> None:
    found = judged(sealed(PAIR, STATEMENT))
    assert isinstance(found, Evidence)
    for kind, name in (("jti", "C3E"), ("statement", f"sha256:{found.digest}")):
        issuer = replace(ISSUER, revoked=(Revoked(kind, name, YAML),))
        assert reason(sealed(PAIR, STATEMENT), issuer).startswith("GW0430")


def test_an_octet_that_is_another_refuses_the_token_or_changes_nothing() -> None:
    """Nothing signs the unprotected header, where a key may be named: without a name the only key is tried."""
    token = sealed(PAIR, STATEMENT)
    good = judged(token)
    for at, octet in enumerate(token):
        for other in {octet ^ 1, octet ^ 0x80, 0, 255} - {octet}:
            spoilt = token[:at] + bytes([other]) + token[at + 1 :]
            found = judged(spoilt)
            assert isinstance(found, Finding) or found == good, (at, octet, other)


def test_a_file_of_cbor_counts_beside_one_of_json(tmp_path: Path) -> None:
    (folder := tmp_path / "evidence").mkdir()
    (folder / "a.cwt").write_bytes(sealed(PAIR, EAR))
    (folder / "b.cwt").write_bytes(sealed(PAIR, STATEMENT))
    (folder / "c.cwt").write_bytes(sealed(PAIR, but(STATEMENT, c4=AT + 7_200)))
    evidence, findings = read_evidence(folder, (ISSUER,), NOW)
    assert [(each.subject, each.place.file) for each in evidence] == [("paris-module", "evidence/a.cwt")]
    assert [each.id for each in findings] == ["GW0415", "GW0415"]


SCALAR = st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.floats() | st.binary(max_size=9) | st.text()
ODD = st.recursive(
    SCALAR,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.integers(-3, 1100) | st.text(max_size=5) | st.binary(max_size=2), inner, max_size=3)
        | st.builds(cbor2.CBORTag, st.integers(6, 99), inner)
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_an_odd_claim_in_cbor_is_a_finding_or_means_something(data: st.DataObject) -> None:
    claims = data.draw(st.sampled_from([STATEMENT, EAR]))
    where = data.draw(st.sampled_from([*claims, 266, 1004, "PSA", 1001]))
    odd = data.draw(ODD)
    changed = {"PSA": {**EAR, 266: {"PSA": odd}}, 1001: psa(c1001=odd)}.get(where, {**claims, where: odd})
    found = judged(sealed(PAIR, changed))
    if isinstance(found, Finding):
        assert found.id in TITLES
        assert found.message.isprintable()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_odd_octets_are_a_finding(octets: bytes) -> None:
    assert all(isinstance(judged(before + octets), Finding) for before in (b"", b"\xd2", b"\xd8\x3d\xd2\x84"))
