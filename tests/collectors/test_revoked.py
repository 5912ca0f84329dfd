"""What the policy revokes is refused with it, and nothing else is."""

import base64
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from enveloping import PASSED, VARIANT, envelope, judged, reason, said, signer, statement
from signing import AT, CLAIMS, HERE, NOW, YAML, digest, ec_pair, ed_pair, issuer_of, rsa_pair, signed

from collectors.evidence.verify import verify
from policy.findings import Finding
from policy.keys import identity
from policy.resolved import Issuer, IssuerKey, Revoked

PAIR = ec_pair()
TOKEN = signed(PAIR)


def revoking(*entries: tuple[str, str]) -> tuple[Revoked, ...]:
    return tuple(Revoked(kind, name, YAML) for kind, name in entries)


def issuer(*entries: tuple[str, str], **changed: Any) -> Issuer:
    return issuer_of(PAIR, revoked=revoking(*entries), **changed)


def refused(token: str, issuers: Sequence[Issuer]) -> str:
    found = verify(token, issuers, NOW, HERE)
    return f"{found.id} {found.message}" if isinstance(found, Finding) else ""


def test_a_statement_is_revoked_by_its_number_or_by_its_digest() -> None:
    assert refused(TOKEN, (issuer(),)) == ""
    assert (
        refused(TOKEN, (issuer(("jti", "pci-1")),)) == "GW0430 the jti `pci-1` of `qsa` is revoked, at issuers.yaml:1:1"
    )
    marked = f"sha256:{digest(TOKEN)}"
    assert refused(TOKEN, (issuer(("statement", marked)),)).startswith("GW0430 the statement `sha256:")
    other = f"sha256:{digest(signed(PAIR, {**CLAIMS, 'jti': 'pci-2'}))}"
    assert refused(TOKEN, (issuer(("jti", "pci-2"), ("statement", other), ("artefact", marked)),)) == ""


def test_another_signature_over_the_same_makes_no_other_statement_of_it() -> None:
    again = signed(PAIR)
    assert again != TOKEN
    assert digest(again) == digest(TOKEN)
    assert refused(again, (issuer(("statement", f"sha256:{digest(TOKEN)}")),)).startswith("GW0430")


def test_only_the_issuers_own_list_counts() -> None:
    others = issuer_of(ec_pair(), name="other", iss="other", revoked=revoking(("jti", "pci-1")))
    assert refused(TOKEN, (others, issuer())) == ""


def test_the_signature_is_looked_at_before() -> None:
    forged = signed(ec_pair())
    assert refused(forged, (issuer(("jti", "pci-1")),)).startswith("GW0407")


def test_an_attestation_result_is_revoked_as_well() -> None:
    claims = {
        "eat_profile": "tag:github.com,2023:veraison/ear",
        "iss": "qsa.example",
        "iat": AT,
        "exp": AT + 60,
        "jti": "r-1",
        "ear.verifier-id": {"developer": "lab", "build": "1"},
        "submods": {"cpu0": {"ear.status": "affirming", "ear.trustworthiness-vector": {"hardware": 2}}},
    }
    token = signed(PAIR, claims)
    assert refused(token, (issuer(standards=("attestation",)),)) == ""
    assert refused(token, (issuer(("jti", "r-1"), standards=("attestation",)),)).startswith("GW0430")


def test_an_artefact_is_revoked_whoever_else_stands_beside_it() -> None:
    made = envelope(statement())
    both = [{"digest": {"sha256": "a" * 64}}, {"digest": {"sha256": "b" * 64}}]
    revoked = signer(revoked=revoking(("artefact", VARIANT)))
    assert said(made).subject == VARIANT
    assert reason(made, revoked).startswith("GW0430 the artefact `sha256:aaa")
    assert reason(envelope(statement(subject=both)), revoked).startswith("GW0430")
    assert len(judged(envelope(statement(subject=both[1:])), revoked)) == 1


def test_a_statement_on_a_model_is_revoked_however_it_is_written_and_signed_again() -> None:
    text = json.dumps(envelope(statement({**PASSED, "slsaVersion": "1.0"})))
    marked = signer(revoked=revoking(("statement", f"sha256:{said(text).digest}")))
    assert reason(text, marked, NOW + timedelta(days=1)).startswith("GW0430")
    assert reason(json.dumps(json.loads(text), indent=2), marked).startswith("GW0430")
    assert reason(envelope(statement({**PASSED, "slsaVersion": "1.0"})), marked).startswith("GW0430")
    assert said(json.dumps(envelope(statement())), marked).subject == VARIANT


def test_a_key_is_the_same_however_it_is_written_and_called() -> None:
    public = rsa_pair(2048, algorithm="PS256").public
    members = dict(public.jwk)
    padded = base64.urlsafe_b64encode(b"\0" + base64.urlsafe_b64decode(members["n"] + "==")).rstrip(b"=").decode()
    again = IssuerKey("other", tuple({**members, "kid": "other", "n": padded, "alg": "PS256"}.items()), YAML)
    assert again.jwk != public.jwk
    assert identity(again) == identity(public) != b""
    assert len({identity(pair.public) for pair in (PAIR, ec_pair(), ed_pair(), rsa_pair(2048))}) == 4
    assert identity(IssuerKey("", (("kty", "EC"), ("crv", "P-256"), ("x", "AA"), ("y", "AA")), YAML)) == b""
