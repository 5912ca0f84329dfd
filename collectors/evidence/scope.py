"""Whom a token is for, and whether its issuer may say what it says."""

from collections.abc import Collection

from collectors.evidence import refusals
from collectors.evidence.refusals import RefusedError
from collectors.evidence.token import Opened
from policy.findings import Place
from policy.resolved import Issuer


def check_audience(opened: Opened, place: Place) -> None:
    """Raises RefusedError unless the token is for whom its Issuer says (RFC 7519, section 4.1.3)."""
    audience, expected = opened.claims.get("aud"), opened.issuer.audience
    named = audience if isinstance(audience, list) else [audience]
    if (expected not in named) if expected else audience is not None:
        raise RefusedError(refusals.wrong_audience(place, audience, opened.issuer))


def check_subject(kind: str, name: str, issuer: Issuer, place: Place) -> None:
    """Raises RefusedError unless the issuer may speak of the site or pool."""
    if name not in (issuer.sites if kind == "site" else issuer.pools):
        raise RefusedError(refusals.subject_not_allowed(place, kind, name, issuer))


def check_not_revoked(issuer: Issuer, kind: str, names: Collection[str], place: Place) -> None:
    """Raises RefusedError where the policy revokes any of these: `kind` is "jti", "statement" or "artefact"."""
    for entry in issuer.revoked:
        if entry.kind == kind and entry.name in names:
            raise RefusedError(refusals.revoked(place, issuer, entry))


def check_standard(standard: str, issuer: Issuer, place: Place) -> None:
    """Raises RefusedError unless the issuer may certify the standard."""
    if standard not in issuer.standards:
        raise RefusedError(refusals.claim_not_allowed(place, standard, issuer))
