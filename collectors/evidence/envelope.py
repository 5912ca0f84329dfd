"""A DSSE envelope (secure-systems-lab/dsse, version 1), alone or in a Sigstore bundle, opened with a pinned key.

Nothing in an envelope or a bundle tells whom to believe: its certificates, keys and log entries are not looked at, and
a `keyid` only puts the keys of that name first.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from jwt import InvalidKeyError

from collectors.evidence import refusals
from collectors.evidence.jws import once
from collectors.evidence.refusals import RefusedError
from policy.findings import Place
from policy.keys import fits, flaw, opened
from policy.resolved import Issuer, IssuerKey

MAX_CHARACTERS: Final = 1_048_576
MAX_SIGNATURES: Final = 8
BUNDLES: Final = "application/vnd.dev.sigstore.bundle"
HASHES: Final[Mapping[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """What an envelope holds, of which type, and who signed it: each once, at least one, in the order of signatures."""

    signers: tuple[Issuer, ...]
    payload_type: str
    payload: bytes

    @property
    def digest(self) -> str:
        """The SHA-256 in hex of what is signed, however the envelope around it is written."""
        return hashlib.sha256(authenticated(self.payload_type, self.payload)).hexdigest()


def unwrap(text: str, issuers: Sequence[Issuer], place: Place) -> Unwrapped:
    """The contents of an envelope that some of the issuers signed. Raises RefusedError for any other."""
    envelope = _envelope(text, place)
    payload_type, payload = envelope.get("payloadType"), _base64(envelope.get("payload"), "payload", place)
    if not isinstance(payload_type, str) or not payload_type.isascii():
        raise RefusedError(refusals.no_envelope(place, "there is no text `payloadType`"))
    message = authenticated(payload_type, payload)
    found = [(each.get("keyid"), _base64(each.get("sig"), "sig", place)) for each in _signatures(envelope, place)]
    signers = [_signer(issuers, keyid, signature, message) for keyid, signature in found]
    known = tuple(dict.fromkeys(signer for signer in signers if signer is not None))
    if not known:
        raise RefusedError(refusals.no_key_fits(place))
    return Unwrapped(known, payload_type, payload)


def authenticated(payload_type: str, payload: bytes) -> bytes:
    """What is signed: type and payload with their lengths, so that neither can be taken for the other (PAE)."""
    name = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def _envelope(text: str, place: Place) -> dict[str, Any]:
    if len(text) > MAX_CHARACTERS:
        raise RefusedError(refusals.no_envelope(place, f"it has {len(text)} characters, over {MAX_CHARACTERS}"))
    try:
        found = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as trouble:
        raise RefusedError(refusals.no_envelope(place, "it is not JSON, or a name stands twice in it")) from trouble
    if isinstance(found, dict) and str(found.get("mediaType", "")).startswith(BUNDLES):
        found = found.get("dsseEnvelope")
    if not isinstance(found, dict):
        raise RefusedError(refusals.no_envelope(place, "there is no envelope, alone or as `dsseEnvelope` of a bundle"))
    return found


def _signatures(envelope: dict[str, Any], place: Place) -> list[dict[str, Any]]:
    found = envelope.get("signatures")
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise RefusedError(refusals.no_envelope(place, "there is no list of `signatures`"))
    if len(found) > MAX_SIGNATURES:
        raise RefusedError(refusals.no_envelope(place, f"it has {len(found)} signatures, over {MAX_SIGNATURES}"))
    return found


def _base64(value: object, name: str, place: Place) -> bytes:
    """Standard base64, or base64url, which DSSE allows too."""
    if isinstance(value, str):
        try:
            return base64.b64decode(value.replace("-", "+").replace("_", "/"), validate=True)
        except ValueError:
            pass
    raise RefusedError(refusals.no_envelope(place, f"`{name}` is not base64"))


def _keys(issuers: Sequence[Issuer], keyid: object) -> Iterator[tuple[Issuer, IssuerKey]]:
    """All keys of all issuers, those of that name first."""
    every = [(issuer, key) for issuer in issuers for key in issuer.keys]
    yield from sorted(every, key=lambda pair: pair[1].kid != keyid)


def _signer(issuers: Sequence[Issuer], keyid: object, signature: bytes, message: bytes) -> Issuer | None:
    """Whose signature it is: one issuer's, as no two have a key in common, or nobody's."""
    return next((issuer for issuer, key in _keys(issuers, keyid) if _fits(key, issuer, signature, message)), None)


def _fits(key: IssuerKey, issuer: Issuer, signature: bytes, message: bytes) -> bool:
    """Whether the signature is the key's, by one of the algorithms that the issuer signs with."""
    return any(
        fits(key, algorithm) and not flaw(key, (algorithm,)) and _verifies(key, algorithm, signature, message)
        for algorithm in issuer.algorithms
    )


def _verifies(key: IssuerKey, algorithm: str, signature: bytes, message: bytes) -> bool:
    """ECDSA is in DER, as Sigstore and in-toto write it, or r and s in a row, as the specification's example is."""
    try:
        public = opened(key, algorithm).key
        if isinstance(public, Ed25519PublicKey):
            public.verify(signature, message)
            return True
        digest = HASHES[algorithm[-3:]]()
        if isinstance(public, ec.EllipticCurvePublicKey):
            size = (public.key_size + 7) // 8
            if len(signature) == 2 * size:
                halves = (int.from_bytes(each, "big") for each in (signature[:size], signature[size:]))
                signature = encode_dss_signature(*halves)
            public.verify(signature, message, ec.ECDSA(digest))
            return True
        if isinstance(public, RSAPublicKey):
            pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
            public.verify(signature, message, pss if algorithm.startswith("PS") else padding.PKCS1v15(), digest)
            return True
    except (InvalidSignature, InvalidKeyError):
        pass
    return False
