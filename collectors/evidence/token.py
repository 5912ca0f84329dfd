"""A signed token opened with a key that the policy pins to its issuer.

Nothing in a token decides how it is verified but two names, its issuer's and its key's, and these only choose among
what the policy declares. Keys and certificates in a header (`jwk`, `jku`, `x5c`, `x5u`) are not looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jwt import PyJWTError

from collectors.evidence import cwt, jws, refusals
from collectors.evidence.ear_names import VERIFIER
from collectors.evidence.refusals import RefusedError
from policy.findings import Place
from policy.keys import flaw, opened
from policy.resolved import Issuer, IssuerKey


@dataclass(frozen=True, slots=True)
class Opened:
    """What a token says, who signed it, and the digest of what was signed."""

    issuer: Issuer
    claims: dict[str, Any]
    digest: str


def open_token(token: str | bytes, issuers: Sequence[Issuer], place: Place) -> Opened:
    """The claims of a JWT (a text) or CWT (octets) that an issuer signed. Raises RefusedError for any other."""
    sealed = jws.taken_apart(token, place) if isinstance(token, str) else cwt.taken_apart(token, place)
    iss = _called(sealed.claims)
    issuer = next((each for each in issuers if each.iss == iss), None)
    if issuer is None:
        raise RefusedError(refusals.unknown_issuer(place, iss, issuers))
    algorithm = sealed.algorithm
    if not isinstance(algorithm, str) or algorithm not in issuer.algorithms:
        raise RefusedError(refusals.not_allowed(place, issuer, algorithm))
    key = _key(sealed.kid, issuer, place)
    wrong = flaw(key, (algorithm,))
    if wrong:
        raise RefusedError(refusals.unfit(place, wrong))
    if not is_signed(sealed.signed, sealed.signature, key, algorithm):
        raise RefusedError(refusals.bad_signature(place, issuer))
    return Opened(issuer, sealed.claims, sealed.digest)


def is_signed(signed: bytes, signature: bytes, key: IssuerKey, algorithm: str) -> bool:
    """Whether the signature is the key's over these octets, by an algorithm that the key is for."""
    try:
        public = opened(key, algorithm)
        return public.Algorithm.verify(signed, public.key, signature)
    except (PyJWTError, ValueError):
        return False


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
