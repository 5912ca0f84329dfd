"""Issuers with keys made for a test, and statements that they sign."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt import PyJWS
from jwt.algorithms import get_default_algorithms

from policy.findings import Place
from policy.resolved import Issuer, IssuerKey

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
HERE = Place("evidence/paris.jwt", 1, 1)
YAML = Place("issuers.yaml", 1, 1)

CLAIMS: Mapping[str, Any] = {
    "iss": "qsa.example",
    "iat": AT - 3_600,
    "exp": AT + 3_600,
    "jti": "pci-1",
    "subject": {"site": "edge-paris"},
    "claim": {"standard": "pci-dss", "version": "4.0"},
}


def saying(**changed: Any) -> dict[str, Any]:
    """The claims, changed; those that are None are left out."""
    return {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}


@dataclass(frozen=True)
class Pair:
    """A private key, and what the policy says of its public one."""

    private: Any
    kid: str
    algorithm: str

    @property
    def public(self) -> IssuerKey:
        kind: Any = get_default_algorithms()[self.algorithm]
        jwk = json.loads(kind.to_jwk(self.private.public_key()))
        jwk.pop("key_ops", None)
        return IssuerKey(self.kid, tuple({**jwk, "kid": self.kid}.items()), YAML)


def ec_pair(kid: str = "2026") -> Pair:
    return Pair(ec.generate_private_key(ec.SECP256R1()), kid, "ES256")


def rsa_pair(bits: int, kid: str = "2026", algorithm: str = "RS256") -> Pair:
    return Pair(rsa.generate_private_key(65_537, bits), kid, algorithm)


def ed_pair(kid: str = "2026") -> Pair:
    return Pair(ed25519.Ed25519PrivateKey.generate(), kid, "EdDSA")


def issuer_of(*pairs: Pair, **changed: Any) -> Issuer:
    fields: dict[str, Any] = {
        "name": "qsa",
        "iss": "qsa.example",
        "algorithms": tuple(dict.fromkeys(pair.algorithm for pair in pairs)),
        "keys": tuple(pair.public for pair in pairs),
        "standards": ("pci-dss",),
        "sites": ("edge-paris",),
        "pools": ("paris-module",),
        "audience": "",
        "max_age_s": 0,
        "place": YAML,
    }
    return Issuer(**{**fields, **changed})


def signed(pair: Pair, claims: object = CLAIMS, **header: Any) -> str:
    """A token over the claims, which may be any JSON; header members that are None are left out."""
    members = {"kid": pair.kid, **header}
    given = {name: value for name, value in members.items() if value is not None}
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return PyJWS().encode(payload, pair.private, pair.algorithm, given)


def with_header(token: str, **header: Any) -> str:
    """The token under another header; its signature does not fit any more."""
    _, payload, signature = token.split(".")
    return f"{part(json.dumps(header).encode())}.{payload}.{signature}"


def digest(token: str) -> str:
    """What a token is called: its header and payload, digested."""
    return hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest()


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
