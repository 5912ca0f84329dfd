"""The keys of issuers: which algorithms each is for, and what makes one unfit."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import BasicConstraints, Certificate, ExtensionNotFound, load_pem_x509_certificate
from jwt import InvalidKeyError, PyJWK

from policy.resolved import IssuerKey

RSA_BITS: Final = 2048
"""Shorter RSA keys are not taken (RFC 7518, sections 3.3 and 3.5)."""
_CURVES: Final[Mapping[str, str]] = MappingProxyType(
    {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}
)


def fits(key: IssuerKey, algorithm: str) -> bool:
    """Whether the algorithm is one for this kind of key, and the one that the key names where it names any."""
    jwk = dict(key.jwk)
    if jwk.get("alg", algorithm) != algorithm:
        return False
    if algorithm in _CURVES:
        kind = "OKP" if algorithm == "EdDSA" else "EC"
        return (jwk["kty"], jwk.get("crv")) == (kind, _CURVES[algorithm])
    return jwk["kty"] == "RSA"


def opened(key: IssuerKey, algorithm: str) -> PyJWK:
    """The key, ready to verify with. Raises InvalidKeyError when it is none."""
    return PyJWK(dict(key.jwk), algorithm)


def identity(key: IssuerKey) -> bytes:
    """The same for the same public key, whatever its JWK calls it and however it is written; empty where it is none."""
    members = {name: value for name, value in key.jwk if name != "alg"}
    try:
        return bytes(PyJWK(members).key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    except InvalidKeyError:
        return b""


@lru_cache(64)
def root(pem: str) -> Certificate:
    """The certificate of a root. Raises ValueError when it is none."""
    return load_pem_x509_certificate(pem.encode())


def root_flaw(pem: str) -> str:
    """Why nothing can be verified with the root; empty when something can."""
    try:
        constraints = root(pem).extensions.get_extension_for_class(BasicConstraints).value
    except ValueError:
        return "it is no certificate"
    except ExtensionNotFound:
        return "it is not one of an authority"
    return "" if constraints.ca else "it is not one of an authority"


def flaw(key: IssuerKey, algorithms: tuple[str, ...]) -> str:
    """Why nothing can be verified with the key by any of the algorithms; empty when something can."""
    algorithm = next((each for each in algorithms if fits(key, each)), None)
    if algorithm is None:
        return f"none of {', '.join(algorithms)} is for this key"
    try:
        bits = getattr(opened(key, algorithm).key, "key_size", 0)
    except InvalidKeyError:
        return "its members make no key"
    return f"it has {bits} bits, fewer than {RSA_BITS}" if dict(key.jwk)["kty"] == "RSA" and bits < RSA_BITS else ""
