"""A site's plan with a signature: a compact JWS (RFC 7515) by Ed25519, whose payload is the plan as the journal writes.

There is one algorithm and one type of header, so nothing can be talked down. The plan names its site and its
generation, and both are under the signature: it counts for no other site, and never after a newer one.

PlanRefusedError
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt import InvalidTokenError, PyJWS

from collectors.recording import RecordingError, decode, encode
from controller.sites.site_plan import SitePlan

ALGORITHM: Final = "EdDSA"
TYPE: Final = "gridwright-plan+jws"
MAX_CHARACTERS: Final = 2 * 1024 * 1024
KEY_ID_DIGITS: Final = 16
_JWS: Final = PyJWS(algorithms=[ALGORITHM])


class Refusal(StrEnum):
    """Why a signed plan is not taken up."""

    TOO_LARGE = "too large"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown key"
    BAD_SIGNATURE = "bad signature"
    OTHER_SITE = "of another site"
    OLDER = "of an older generation"
    EXPIRED = "expired"


class PlanRefusedError(Exception):
    """A signed plan that must not be taken up. `refusal` is why; the message tells what was found."""

    def __init__(self, refusal: Refusal, found: str) -> None:
        super().__init__(f"the plan is {refusal}: {found}" if refusal in _ADJECTIVES else f"{refusal}: {found}")
        self.refusal = refusal


_ADJECTIVES: Final = {Refusal.TOO_LARGE, Refusal.MALFORMED, Refusal.OTHER_SITE, Refusal.OLDER, Refusal.EXPIRED}


@dataclass(frozen=True, slots=True)
class Expected:
    """What a plan must be to be taken up: of `site`, of a generation above `after`, valid at `now`."""

    site: str
    after: int
    now: datetime


def key_id(key: Ed25519PublicKey) -> str:
    """What a key is called: the same for the same key."""
    return sha256(key.public_bytes_raw()).hexdigest()[:KEY_ID_DIGITS]


def signed(plan: SitePlan, key: Ed25519PrivateKey) -> str:
    """The plan with a signature. Raises PlanRefusedError when it is too large to be taken up."""
    headers = {"typ": TYPE, "kid": key_id(key.public_key())}
    token = _JWS.encode(encode(plan), key, ALGORITHM, headers)
    _check_size(token)
    return token


def verified(token: str, keys: Mapping[str, Ed25519PublicKey], expected: Expected) -> SitePlan:
    """The plan of a token, if one of `keys`, by their ids, has signed it and it is as expected.

    Raises PlanRefusedError.
    """
    _check_size(token)
    payload = _payload(token, keys)
    try:
        plan = decode(payload, SitePlan)
    except RecordingError as error:
        raise PlanRefusedError(Refusal.MALFORMED, str(error)) from error
    if plan.site != expected.site:
        raise PlanRefusedError(Refusal.OTHER_SITE, f"it is for {plan.site}, this is {expected.site}")
    if plan.generation <= expected.after:
        found = f"it has generation {plan.generation}, and {expected.after} is known already"
        raise PlanRefusedError(Refusal.OLDER, found)
    if expected.now >= plan.valid_until:
        found = f"it was to be taken up before {plan.valid_until.isoformat()}: see whether the clocks agree"
        raise PlanRefusedError(Refusal.EXPIRED, found)
    return plan


def _payload(token: str, keys: Mapping[str, Ed25519PublicKey]) -> bytes:
    header = _header(token)
    key = keys.get(str(header.get("kid")))
    if key is None:
        raise PlanRefusedError(Refusal.UNKNOWN_KEY, f"{header.get('kid')!r} is no key that signs plans")
    try:
        payload: bytes = _JWS.decode(token, key, algorithms=[ALGORITHM])
    except InvalidTokenError as error:
        raise PlanRefusedError(Refusal.BAD_SIGNATURE, str(error)) from error
    return payload


def _header(token: str) -> dict[str, Any]:
    """The header, of the one form that there is."""
    try:
        header = _JWS.get_unverified_header(token)
    except InvalidTokenError as error:
        raise PlanRefusedError(Refusal.MALFORMED, str(error)) from error
    if header.keys() != {"alg", "typ", "kid"} or header["alg"] != ALGORITHM or header["typ"] != TYPE:
        raise PlanRefusedError(Refusal.MALFORMED, f"its header is not that of a plan signed by {ALGORITHM}")
    return header


def _check_size(token: str) -> None:
    if len(token) > MAX_CHARACTERS:
        raise PlanRefusedError(Refusal.TOO_LARGE, f"it has {len(token)} characters, over {MAX_CHARACTERS}")
