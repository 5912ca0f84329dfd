"""A signed token (compact JWS, RFC 7515) opened with a key that the policy pins to its issuer.

Nothing in a token decides how it is verified but two names, its issuer's and its key's, and these only choose among
what the policy declares. Keys and certificates in a header (`jwk`, `jku`, `x5c`, `x5u`) are not looked at.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from jwt import PyJWS, PyJWTError

from collectors.evidence import refusals
from collectors.evidence.refusals import RefusedError
from policy.findings import Place
from policy.keys import flaw, opened
from policy.resolved import Issuer, IssuerKey

MAX_CHARACTERS: Final = 65_536
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
VERIFIER: Final = "ear.verifier-id"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a token says, and who signed it."""

    issuer: Issuer
    claims: dict[str, Any]


def open_token(token: str, issuers: Sequence[Issuer], place: Place) -> Opened:
    """The claims of a token that one of the issuers signed. Raises RefusedError for any other."""
    header, claims = _parts(token, place)
    if "crit" in header:
        raise RefusedError(refusals.malformed(place, "its header has `crit`, and no extension is known here"))
    iss = _called(claims)
    issuer = next((each for each in issuers if each.iss == iss), None)
    if issuer is None:
        raise RefusedError(refusals.unknown_issuer(place, iss, issuers))
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in issuer.algorithms:
        raise RefusedError(refusals.not_allowed(place, issuer, algorithm))
    key = _key(header.get("kid"), issuer, place)
    _verify(token, key, algorithm, issuer, place)
    return Opened(issuer, claims)


def digest(token: str) -> str:
    """What a token is called in records of it: the SHA-256 in hex of what is signed, header and payload.

    A signature is left out: whoever has one of ECDSA can make another one that fits as well.
    """
    return hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest()


def _parts(token: str, place: Place) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, not verified."""
    if len(token) > MAX_CHARACTERS:
        raise RefusedError(refusals.malformed(place, f"it has {len(token)} characters, over {MAX_CHARACTERS}"))
    compact = _COMPACT.fullmatch(token)
    if compact is None:
        raise RefusedError(refusals.malformed(place, "expected three parts of base64url with dots between"))
    _decoded(compact[3], place)
    return _object(compact[1], "header", place), _object(compact[2], "payload", place)


def _decoded(part: str, place: Place) -> bytes:
    """The part's bytes. They are written in one way only: left-over bits that are not 0 would be a second."""
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        data = b""
    if base64.urlsafe_b64encode(data).rstrip(b"=") != part.encode():
        raise RefusedError(refusals.malformed(place, "a part of it is not base64url"))
    return data


def _object(part: str, what: str, place: Place) -> dict[str, Any]:
    try:
        found = json.loads(_decoded(part, place), object_pairs_hook=once, parse_constant=_no_number)
    except (ValueError, RecursionError) as trouble:
        raise RefusedError(
            refusals.malformed(place, f"its {what} is not JSON, or a name stands twice in it")
        ) from trouble
    if not isinstance(found, dict):
        raise RefusedError(refusals.malformed(place, f"its {what} is no JSON object"))
    return found


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object. Two of one name would be read in two ways (RFC 8725, section 2.4)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _called(claims: dict[str, Any]) -> object:
    """What the issuer calls itself: `iss`, or in an attestation result without one the verifier's developer."""
    verifier = claims.get(VERIFIER)
    if "iss" not in claims and isinstance(verifier, dict):
        return verifier.get("developer")
    return claims.get("iss")


def _key(kid: object, issuer: Issuer, place: Place) -> IssuerKey:
    """The issuer's key of that name; its only key where no name is given."""
    if kid is None and len(issuer.keys) == 1:
        return issuer.keys[0]
    key = next((each for each in issuer.keys if each.kid and each.kid == kid), None)
    if key is None:
        raise RefusedError(refusals.unknown_key(place, kid, issuer))
    return key


def _verify(token: str, key: IssuerKey, algorithm: str, issuer: Issuer, place: Place) -> None:
    wrong = flaw(key, (algorithm,))
    if wrong:
        raise RefusedError(refusals.unfit(place, wrong))
    try:
        PyJWS(algorithms=[algorithm]).decode(token, opened(key, algorithm), algorithms=[algorithm])
    except (PyJWTError, ValueError) as trouble:
        raise RefusedError(refusals.bad_signature(place, issuer)) from trouble
