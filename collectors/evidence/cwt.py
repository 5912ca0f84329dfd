"""A CWT (RFC 8392): the claims of a JWT in CBOR, signed by COSE_Sign1."""

from typing import Final

from collectors.evidence import cose, ear_names, refusals
from collectors.evidence.cbor import NotPlainError, plain
from collectors.evidence.refusals import RefusedError
from collectors.evidence.sealed import Sealed
from policy.findings import Place

TAG: Final = b"\xd8\x3d"
"""Tag 61, which may stand before that of COSE (RFC 8392, section 6)."""


def taken_apart(data: bytes, place: Place) -> Sealed:
    """The parts of a token, of which nothing is verified. Raises RefusedError."""
    message = cose.taken_apart(data.removeprefix(TAG), place)
    try:
        claims = plain(message.payload)
    except NotPlainError as trouble:
        raise RefusedError(refusals.malformed(place, f"its payload cannot be read: {trouble}")) from trouble
    if not isinstance(claims, dict):
        raise RefusedError(refusals.malformed(place, "its payload is no map"))
    named = ear_names.of_cbor(claims, place)
    return Sealed(message.algorithm, message.kid, named, message.signed, message.signature)
