"""Signed statements: what each issuer may say counts, and everything else is refused for its own reason."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from signing import (
    AT,
    CLAIMS,
    HERE,
    NOW,
    Pair,
    digest,
    ec_pair,
    ed_pair,
    issuer_of,
    part,
    rsa_pair,
    saying,
    signed,
    with_header,
)

from collectors.evidence.ear import Appraisal
from collectors.evidence.jws import MAX_CHARACTERS
from collectors.evidence.records import Evidence
from collectors.evidence.verify import verify
from policy.catalogue import TITLES
from policy.findings import Finding
from policy.resolved import Issuer

PAIR = ec_pair()
ISSUER = issuer_of(PAIR)


def judged(token: str, issuer: Issuer = ISSUER, now: datetime = NOW) -> Evidence | Appraisal | Finding:
    return verify(token, (issuer,), now, HERE)


def reason(token: str, issuer: Issuer = ISSUER, now: datetime = NOW) -> str:
    found = judged(token, issuer, now)
    assert isinstance(found, Finding), found
    assert (found.place, bool(found.hint)) == (HERE, True)
    return f"{found.id} {found.message}"


def test_a_signed_statement_is_evidence() -> None:
    token = signed(PAIR)
    assert judged(token) == Evidence(
        "qsa/pci-1",
        "site",
        "edge-paris",
        "pci-dss",
        (4, 0),
        "qsa.example",
        datetime.fromtimestamp(AT - 3_600, UTC),
        datetime.fromtimestamp(AT + 3_600, UTC),
        HERE,
        digest(token),
    )


@pytest.mark.parametrize(
    "pair", [ed_pair(), rsa_pair(2048), rsa_pair(2048, algorithm="PS256")], ids=lambda pair: pair.algorithm
)
def test_each_kind_of_key_verifies_what_it_signed(pair: Pair) -> None:
    assert isinstance(judged(signed(pair), issuer_of(pair)), Evidence)
    assert reason(signed(pair), issuer_of(replace(pair, private=type_like(pair)))).startswith("GW0407")


def type_like(pair: Pair) -> Any:
    return (ed_pair() if pair.algorithm == "EdDSA" else rsa_pair(2048)).private


def test_the_key_is_chosen_by_its_name_among_the_issuers_own() -> None:
    other = ec_pair("2027")
    issuer = issuer_of(PAIR, other)
    assert isinstance(judged(signed(other), issuer), Evidence)
    assert reason(signed(other, kid="2026"), issuer).startswith("GW0407")
    assert reason(signed(other, kid="2028"), issuer) == "GW0405 `qsa` has no key `2028`"
    assert reason(signed(other, kid=None), issuer) == "GW0405 the header names no key (`kid`)"
    assert isinstance(judged(signed(PAIR, kid=None)), Evidence)


def test_a_key_in_the_header_is_not_looked_at() -> None:
    stranger = ec_pair("2026")
    own = {key: value for key, value in stranger.public.jwk if key != "kid"}
    for header in ({"jwk": own}, {"jku": "https://qsa.example/jwks"}, {"x5c": ["MIIB"]}, {"x5u": "https://a.example"}):
        assert reason(signed(stranger, **header)).startswith("GW0407 the signature is not one of `qsa`")
        assert isinstance(judged(signed(PAIR, **header)), Evidence)


def test_the_algorithm_is_one_that_the_issuer_has() -> None:
    token = signed(PAIR)
    secret = dict(PAIR.public.jwk)["x"].encode() + b"padding to 32 octets and beyond"
    hashed = jwt.encode(dict(CLAIMS), secret, "HS256", {"kid": PAIR.kid})
    unsigned = f"{part(json.dumps({'alg': 'none'}).encode())}.{token.split('.')[1]}.{token.split('.')[2]}"
    assert reason(hashed) == "GW0406 the signature cannot be relied on: the algorithm `HS256` is not allowed"
    assert reason(unsigned) == "GW0406 the signature cannot be relied on: the algorithm `none` is not allowed"
    for alg in ("ES384", "es256", "", None, 7, ["ES256"]):
        assert reason(with_header(token, alg=alg, kid=PAIR.kid)).startswith("GW0406")
    assert reason(token, replace(ISSUER, algorithms=("EdDSA",))).startswith("GW0406")


def test_an_allowed_algorithm_is_not_taken_with_a_key_of_another_kind() -> None:
    token = with_header(signed(PAIR), alg="RS256", kid=PAIR.kid)
    assert reason(token, replace(ISSUER, algorithms=("ES256", "RS256"))) == (
        "GW0406 the signature cannot be relied on: none of RS256 is for this key"
    )
    assert reason(signed(PAIR), replace(ISSUER, keys=(only_for("ES384"),))).startswith("GW0406")


def only_for(algorithm: str) -> Any:
    return replace(PAIR.public, jwk=(*PAIR.public.jwk, ("alg", algorithm)))


@pytest.mark.filterwarnings("ignore:The RSA key")
def test_a_short_rsa_key_is_refused_even_where_its_signature_fits() -> None:
    weak = rsa_pair(1024)
    assert reason(signed(weak), issuer_of(weak)) == (
        "GW0406 the signature cannot be relied on: it has 1024 bits, fewer than 2048"
    )


def test_only_declared_issuers_are_believed() -> None:
    assert reason(signed(PAIR, saying(iss="qsa.exampel"))) == "GW0404 no Issuer of the policy is called `qsa.exampel`"
    assert reason(signed(PAIR, saying(iss=None))).startswith("GW0404")
    assert reason(signed(PAIR), replace(ISSUER, iss="other.example")).startswith("GW0404")
    assert isinstance(verify(signed(PAIR), (), NOW, HERE), Finding)


@pytest.mark.parametrize(
    ("shift_s", "claims", "start"),
    [
        (3_599, {}, None),
        (3_660, {}, "GW0408 the statement ended at 2026-05-04T13:00:00+00:00"),
        (3_659, {}, None),
        (-3_660, {}, None),
        (-3_661, {}, "GW0410 the statement was issued at 2026-05-04T11:00:00+00:00, more than 60 s from now"),
        (0, {"nbf": AT + 60}, None),
        (0, {"nbf": AT + 61}, None),
        (0, {"iat": AT + 61, "nbf": AT + 61}, "GW0410"),
        (0, {"exp": AT - 3_600}, "GW0401 the statement ends before it begins"),
        (0, {"nbf": AT + 3_600}, "GW0401"),
        (0, {"exp": None}, "GW0416 the statement is malformed: it never ends"),
        (0, {"iat": None}, "GW0416 the statement is malformed: `iat`"),
        (0, {"iat": True}, "GW0416 the statement is malformed: `iat`"),
        (0, {"exp": "2030-01-01T00:00:00Z"}, "GW0416 the statement is malformed: `exp`"),
        (0, {"exp": 1e300}, "GW0416 the statement is malformed: `exp` is no time between 1970 and 9999"),
        (0, {"exp": 10**400}, "GW0416 the statement is malformed: `exp` is no time between 1970 and 9999"),
        (0, {"iat": -1}, "GW0416 the statement is malformed: `iat` is no time between"),
    ],
)
def test_a_statement_holds_in_its_time(shift_s: int, claims: dict[str, Any], start: str | None) -> None:
    token, now = signed(PAIR, saying(**claims)), NOW + timedelta(seconds=shift_s)
    if start is None:
        assert isinstance(judged(token, now=now), Evidence)
    else:
        assert reason(token, now=now).startswith(start)


def test_clocks_that_differ_never_make_evidence_last_longer() -> None:
    late = judged(signed(PAIR), now=NOW + timedelta(seconds=3_630))
    assert isinstance(late, Evidence)
    assert late.expires_at == NOW + timedelta(hours=1)


def test_an_issuer_is_believed_for_no_longer_than_its_policy_says() -> None:
    issuer = replace(ISSUER, max_age_s=3_600 + 600)
    found = judged(signed(PAIR), issuer)
    assert isinstance(found, Evidence)
    assert found.expires_at == NOW + timedelta(minutes=10)
    assert isinstance(judged(signed(PAIR, saying(exp=None)), issuer), Evidence)
    assert reason(signed(PAIR), issuer, NOW + timedelta(seconds=660)) == (
        "GW0411 the statement was issued at 2026-05-04T11:00:00+00:00, and `qsa` is believed for 4200 s"
    )


def test_a_statement_is_for_this_audience() -> None:
    here = replace(ISSUER, audience="gridwright")
    assert isinstance(judged(signed(PAIR, saying(aud="gridwright")), here), Evidence)
    assert isinstance(judged(signed(PAIR, saying(aud=["a", "gridwright"])), here), Evidence)
    assert reason(signed(PAIR, saying(aud="argo")), here) == "GW0412 the statement is for `argo`"
    assert reason(signed(PAIR), here) == "GW0412 the statement is for nobody"
    assert reason(signed(PAIR, saying(aud="gridwright"))).startswith("GW0412")
    assert reason(signed(PAIR, saying(aud=[]))).startswith("GW0412")


def test_an_issuer_speaks_only_of_what_it_may() -> None:
    pool = judged(signed(PAIR, saying(subject={"pool": "paris-module"})))
    assert isinstance(pool, Evidence)
    assert (pool.subject_kind, pool.subject) == ("pool", "paris-module")
    assert reason(signed(PAIR, saying(subject={"site": "paris-module"}))) == (
        "GW0413 `qsa` may not speak of the site `paris-module`"
    )
    assert reason(signed(PAIR, saying(subject={"pool": "edge-paris"}))).startswith("GW0413")
    other = saying(claim={"standard": "iso-27001", "version": "2022"})
    assert reason(signed(PAIR, other)) == "GW0414 `qsa` may not certify `iso-27001`"


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        (saying(subject={"site": "a", "pool": "b"}), "`subject`: a subject has exactly one of"),
        (saying(subject=None), "`subject`: Field required"),
        (saying(jti=None), "`jti`: Field required"),
        (saying(jti="a\nb"), "`jti`: is not one line of text"),
        (saying(claim={"standard": "pci-dss", "version": "four"}), "`claim.version`: `four` is not a version"),
        (saying(revoked=True), "`revoked`: Extra inputs are not permitted"),
        ([1], "its payload is no JSON object"),
        (b"not JSON", "its payload is not JSON"),
        (b'{"iss": "a", "iss": "qsa.example"}', "a name stands twice"),
        (b'{"iat": NaN}', "its payload is not JSON"),
        (b"[" * 20_000, "its payload is not JSON"),
        (b"\xff", "its payload is not JSON"),
    ],
)
def test_what_is_no_statement_is_malformed(claims: object, told: str) -> None:
    found = reason(signed(PAIR, claims))
    assert found.startswith("GW0416 the statement is malformed: ")
    assert told in found


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda _: "..",
        lambda token: token[: token.rindex(".") + 1],
        lambda token: token + ".more",
        lambda token: "." + token,
        lambda token: token + "=",
        lambda token: token.replace(".", "\n.", 1),
        lambda token: token + "A" * MAX_CHARACTERS,
        lambda token: token.split(".")[1].join(("W10.", "." + token.split(".")[2])),
    ],
)
def test_what_is_no_token_is_malformed(spoil: Any) -> None:
    assert reason(spoil(signed(PAIR))).startswith("GW0416")


def test_extensions_that_must_be_understood_are_refused() -> None:
    assert "`crit`" in reason(signed(PAIR, crit=["b64"], b64=True))
    assert reason(with_header(signed(PAIR), alg="ES256", crit=["exp"])).startswith("GW0416")


def test_no_byte_of_a_token_can_be_another() -> None:
    token = signed(PAIR)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for at, character in enumerate(token):
        following = alphabet[(alphabet.index(character) + 1) % 64] if character in alphabet else "A"
        flipped = {chr(ord(character) ^ 1), chr(ord(character) ^ 0x80), following, ".", "=", "\n", ""} - {character}
        for other in flipped:
            spoilt = f"{token[:at]}{other}{token[at + 1 :]}"
            assert isinstance(judged(spoilt), Finding), (at, character, other)
    for other in set(alphabet) - {token[-1]}:
        spelt_otherwise = alphabet.index(other) % 16 != 0  # the last 4 of the 516 bits that 86 characters hold are 0
        assert reason(token[:-1] + other).startswith("GW0416" if spelt_otherwise else "GW0407")


def test_every_refusal_is_named_by_a_test() -> None:
    tests = Path(__file__).parents[1]
    files = [*tests.rglob("test_*.py"), *(tests / "policy" / "broken").glob("*.txt")]
    texts = "".join(file.read_text() for file in files)
    assert {one for one in TITLES if "GW0401" <= one < "GW0460" and one not in texts} == set()


def test_a_statement_may_be_of_a_link_that_its_issuer_may_speak_of() -> None:
    token = signed(PAIR, {**CLAIMS, "subject": {"link": "paris-lyon"}, "claim": {"standard": "mtls", "version": "1.3"}})
    carrier = issuer_of(PAIR, standards=("mtls",), links=("paris-lyon",))
    found = judged(token, carrier)
    assert isinstance(found, Evidence)
    assert (found.subject_kind, found.subject, found.standard, found.version) == ("link", "paris-lyon", "mtls", (1, 3))
    refused = judged(token, issuer_of(PAIR, standards=("mtls",)))
    assert isinstance(refused, Finding)
    assert refused.message == "`qsa` may not speak of the link `paris-lyon`"
