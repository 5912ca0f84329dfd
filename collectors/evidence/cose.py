"""A COSE_Sign1 (RFC 9052, section 4.2), taken apart: one signature over a header and a payload, in CBOR."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import cbor2

from collectors.evidence import refusals
from collectors.evidence.cbor import NotPlainError, plain
from collectors.evidence.refusals import RefusedError
from policy.findings import Place

MAX_OCTETS: Final = 65_536
TAG: Final = b"\xd2"
"""Tag 18, in its only shortest form."""
ALGORITHMS: Final[Mapping[object, str]] = {
    -7: "ES256",
    -35: "ES384",
    -36: "ES512",
    -8: "EdDSA",
    -37: "PS256",
    -38: "PS384",
    -39: "PS512",
    -257: "RS256",
    -258: "RS384",
    -259: "RS512",
}
"""What JOSE calls the algorithms of COSE (RFC 9053, RFC 8230, RFC 8812)."""
_ALG, _CRIT, _KID = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Sign1:
    """What is signed, by what the header names. An algorithm that is not known here is as it stands there."""

    algorithm: object
    kid: object
    payload: bytes
    signed: bytes
    signature: bytes


def taken_apart(data: bytes, place: Place) -> Sign1:
    """The parts of a message, of which nothing is verified. Raises RefusedError.

    The algorithm counts from the protected header alone, so that nobody can change it; the key's name may stand in
    either, for it only chooses.
    """
    if len(data) > MAX_OCTETS:
        raise RefusedError(refusals.malformed(place, f"it has {len(data)} octets, over {MAX_OCTETS}"))
    if not data.startswith(TAG):
        raise RefusedError(refusals.malformed(place, "expected COSE_Sign1 with its tag, 18"))
    protected, unprotected, payload, signature = _four(_plain(data.removeprefix(TAG), "message", place), place)
    header = _map(_plain(protected, "protected header", place) if protected else {}, place)
    if not header.keys().isdisjoint(unprotected):
        raise RefusedError(refusals.malformed(place, "a parameter stands in both of its headers"))
    if _CRIT in header or _CRIT in unprotected:
        raise RefusedError(refusals.malformed(place, "its header has `crit`, and no extension is known here"))
    algorithm = header.get(_ALG)
    return Sign1(
        algorithm=ALGORITHMS.get(algorithm, algorithm) if isinstance(algorithm, (int, str)) else None,
        kid=_kid({**unprotected, **header}.get(_KID), place),
        payload=payload,
        signed=cbor2.dumps(["Signature1", protected, b"", payload]),
        signature=signature,
    )


def _four(found: Any, place: Place) -> tuple[bytes, dict[object, Any], bytes, bytes]:
    match found:
        case [bytes(protected), dict(unprotected), bytes(payload), bytes(signature)]:
            return protected, unprotected, payload, signature
    raise RefusedError(refusals.malformed(place, "expected its two headers, its payload and its signature"))


def _map(found: Any, place: Place) -> dict[object, Any]:
    if not isinstance(found, dict):
        raise RefusedError(refusals.malformed(place, "its protected header is no map"))
    return found


def _kid(found: object, place: Place) -> str | None:
    """The key's name, which is octets: those of the Issuer's `kid` in UTF-8."""
    if found is None:
        return None
    if not isinstance(found, bytes):
        raise RefusedError(refusals.malformed(place, "its `kid` is no octets"))
    return found.decode(errors="replace")


def _plain(data: bytes, what: str, place: Place) -> Any:
    try:
        return plain(data)
    except NotPlainError as trouble:
        raise RefusedError(refusals.malformed(place, f"its {what} cannot be read: {trouble}")) from trouble
