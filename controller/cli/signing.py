"""What an issuer needs: statements signed with a private key from a file, its public key, and nonces."""

import json
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt import PyJWS
from jwt.algorithms import get_default_algorithms
from pydantic import ValidationError

from collectors.evidence.document import claims_in
from collectors.evidence.records import Evidence
from controller.cli.errors import CliError
from policy.documents.issuer import AttestedSpec
from policy.keys import RSA_BITS

_BY_CURVE: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_MEMBERS: Final = ("kty", "crv", "x", "y", "n", "e")
_MAX_BYTES: Final = 65_536
_NONCE_OCTETS: Final = 32

PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey


def key_at(path: Path) -> PrivateKey:
    """The private key in a PEM file, without a passphrase. Raises CliError."""
    try:
        key = load_pem_private_key(contents(path), password=None)
    except TypeError as error:
        raise CliError(
            f"{path} is encrypted", "decrypt it into a place that only you can read, and sign there"
        ) from error
    except ValueError as error:
        raise CliError(f"{path} holds no private key", "give a PEM file that begins with BEGIN PRIVATE KEY") from error
    if not isinstance(key, (EllipticCurvePrivateKey, Ed25519PrivateKey, RSAPrivateKey)) or not algorithm_of(key):
        hint = f"make one of P-256, P-384, P-521, Ed25519 or RSA with {RSA_BITS} bits: docs/evidence.md shows how"
        raise CliError(f"{path} holds a key of a kind or length that nobody would verify with", hint)
    return key


def algorithm_of(key: PrivateKey) -> str:
    """The algorithm that a key signs with; empty for a curve or a length that is not taken."""
    if isinstance(key, EllipticCurvePrivateKey):
        return _BY_CURVE.get(key.curve.name, "")
    if isinstance(key, RSAPrivateKey):
        return "PS256" if key.key_size >= RSA_BITS else ""
    return "EdDSA"


def public_jwk(key: PrivateKey, kid: str) -> dict[str, str]:
    """The public key as it stands among the `keys` of an Issuer."""
    kind: Any = get_default_algorithms()[algorithm_of(key)]
    jwk = json.loads(kind.to_jwk(key.public_key()))
    named = {"kid": kid} if kid else {}
    return {**named, **{name: jwk[name] for name in _MEMBERS if name in jwk}}


def document_at(path: Path) -> Evidence:
    """The one Evidence document of a file. Raises CliError."""
    try:
        text = contents(path).decode()
    except UnicodeDecodeError as trouble:
        raise CliError(f"{path} is not UTF-8", "save it as UTF-8; nothing was signed") from trouble
    found, findings = claims_in(path.name, text)
    if findings:
        raise CliError(str(findings[0]), "correct the document; nothing was signed")
    if len(found) != 1:
        raise CliError(f"{path} holds {len(found)} documents", "give each Evidence document a file of its own")
    return found[0]


def signed(evidence: Evidence, key: PrivateKey, kid: str, audience: str, now: datetime) -> str:
    """The statement that says what an Evidence document does. Its number is the document's name with its `iat`.

    What is to begin later is issued `now`. What began before is as old as it says: else signing it anew would make it
    outlast an Issuer's `maxAge`.
    """
    begins, ends = int(evidence.issued_at.timestamp()), int(evidence.expires_at.timestamp())
    issued = min(begins, int(now.timestamp()))
    claims: dict[str, object] = {
        "iss": evidence.issuer,
        "iat": issued,
        "nbf": begins,
        "exp": ends,
        "jti": f"{evidence.id}.{issued}",
        "subject": {evidence.subject_kind: evidence.subject},
        "claim": {"standard": evidence.standard, "version": ".".join(map(str, evidence.version))},
    }
    if audience:
        claims["aud"] = audience
    header = {"kid": kid} if kid else {}
    return PyJWS().encode(json.dumps(claims).encode(), key, algorithm_of(key), header)


def new_nonce(subject: str, now: datetime) -> str:
    """A nonce that nobody can have known before, for `pool/NAME` or the like, in one line of YAML. Raises CliError."""
    kind, _, name = subject.partition("/")
    try:
        AttestedSpec.model_validate({kind: name})
    except ValidationError as trouble:
        hint = "give pool/NAME, node/POOL/NODE or site/NAME, such as pool/sealed"
        raise CliError(f"'{subject}' is no subject of an attestation result", hint) from trouble
    made = secrets.token_urlsafe(_NONCE_OCTETS)
    return f'{{subject: {{{kind}: {name}}}, nonce: "{made}", issuedAt: "{now:%Y-%m-%dT%H:%M:%SZ}"}}'


def contents(path: Path) -> bytes:
    """The octets of a small file. Raises CliError."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}", "check the path and its rights") from error
    if len(data) > _MAX_BYTES:
        raise CliError(f"{path} has more than {_MAX_BYTES} bytes", "give the file of one key or of one document")
    return data
