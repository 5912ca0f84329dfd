"""Statements about models that a test signs, and what becomes of them."""

import base64
import json
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from signing import HERE, NOW, Pair, ec_pair, issuer_of

from collectors.evidence.artefact import vouched
from collectors.evidence.envelope import authenticated
from collectors.evidence.records import Evidence
from policy.findings import Finding
from policy.resolved import Issuer

PAIR = ec_pair()
VARIANT = "sha256:" + "a" * 64
DONE = "2026-05-01T00:00:00Z"
SUMMARY = "https://slsa.dev/verification_summary/v1"
PASSED = {"verificationResult": "PASSED", "verifiedLevels": ["SLSA_BUILD_LEVEL_3"], "timeVerified": DONE}


def signer(*pairs: Pair, **changed: Any) -> Issuer:
    given = {"name": "releases", "iss": "releases", "standards": ("slsa", "model-signature"), "sites": (), "pools": ()}
    given |= {"models": ("rec",), "digests": (VARIANT, "sha256:" + "b" * 64)}
    return issuer_of(*(pairs or (PAIR,)), **{**given, **changed})


def statement(predicate: Any = PASSED, kind: str = SUMMARY, **changed: Any) -> dict[str, Any]:
    subject = [{"name": "rec.onnx", "digest": {"sha256": VARIANT.removeprefix("sha256:")}}]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": kind,
        "predicate": predicate,
        **changed,
    }


def in_der(pair: Pair, message: bytes) -> bytes:
    if pair.algorithm == "EdDSA":
        return bytes(pair.private.sign(message))
    if pair.algorithm == "PS256":
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
        return bytes(pair.private.sign(message, pss, hashes.SHA256()))
    if pair.algorithm == "RS256":
        return bytes(pair.private.sign(message, padding.PKCS1v15(), hashes.SHA256()))
    return bytes(pair.private.sign(message, ec.ECDSA(hashes.SHA256())))


def envelope(
    said: Any, pair: Pair = PAIR, payload_type: str = "application/vnd.in-toto+json", **changed: Any
) -> dict[str, Any]:
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    signature = base64.b64encode(in_der(pair, authenticated(payload_type, payload))).decode()
    signatures = [{"keyid": pair.kid, "sig": signature}]
    return {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": signatures,
        **changed,
    }


def judged(text: str | dict[str, Any], issuer: Issuer | None = None, now: datetime = NOW) -> Any:
    whole = text if isinstance(text, str) else json.dumps(text)
    return vouched(whole, (issuer or signer(),), now, HERE)


def said(text: str | dict[str, Any], issuer: Issuer | None = None, now: datetime = NOW) -> Evidence:
    found = judged(text, issuer, now)
    assert not isinstance(found, Finding), found
    (item,) = found
    assert isinstance(item, Evidence)
    return item


def reason(text: str | dict[str, Any], issuer: Issuer | None = None, now: datetime = NOW) -> str:
    found = judged(text, issuer, now)
    assert isinstance(found, Finding), found
    return f"{found.id} {found.message}"
