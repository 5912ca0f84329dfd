"""CWTs that a test's issuer signs."""

from typing import Any

import cbor2
from jwt.algorithms import get_default_algorithms
from signing import Pair

from collectors.evidence.cose import ALGORITHMS

NUMBERS = {algorithm: number for number, algorithm in ALGORITHMS.items()}


def sealed(
    pair: Pair, claims: object, unprotected: dict[int, Any] | None = None, before: bytes = b"\xd2", **more: Any
) -> bytes:
    """A CWT over the claims, which may be any CBOR or its octets; `more` of the header is by number, as p5=…."""
    header = {1: NUMBERS[pair.algorithm], **{int(name.removeprefix("p")): value for name, value in more.items()}}
    protected = cbor2.dumps({name: value for name, value in header.items() if value is not None})
    payload = claims if isinstance(claims, bytes) else cbor2.dumps(claims)
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    signature = get_default_algorithms()[pair.algorithm].sign(signed, pair.private)
    kid = {4: pair.kid.encode()} if unprotected is None else unprotected
    return before + cbor2.dumps([protected, kid, payload, signature])
