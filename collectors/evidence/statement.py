"""Signed statements: a JWT (RFC 7519) in which an issuer of the policy claims what an Evidence document would."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from collectors.evidence import refusals
from collectors.evidence.document import ClaimSpec, SubjectSpec
from collectors.evidence.records import Evidence
from collectors.evidence.refusals import RefusedError
from collectors.evidence.span import SKEW, span
from collectors.evidence.token import Opened, open_token
from policy.documents.base import Line, Spec
from policy.findings import Finding, Place
from policy.resolved import Issuer


class StatementSpec(Spec):
    """The claims of a statement; `span` judges its times.

    Others are not ignored: one of them might take back what these say.
    """

    subject: SubjectSpec
    claim: ClaimSpec
    jti: Line
    iss: Line
    iat: Any = None
    nbf: Any = None
    exp: Any = None
    aud: Line | list[Line] | None = None


def verify(
    token: str, issuers: Sequence[Issuer], now: datetime, place: Place, skew: timedelta = SKEW
) -> Evidence | Finding:
    """The evidence that a token gives at `now`, or why it gives none."""
    try:
        return stated(token, open_token(token, issuers, place), now, place, skew)
    except RefusedError as refused:
        return refused.finding


def stated(token: str, opened: Opened, now: datetime, place: Place, skew: timedelta) -> Evidence:
    """The evidence in an opened token. Raises RefusedError."""
    issuer = opened.issuer
    spec = _spec(opened, place)
    check_audience(opened, place)
    begins, ends = span(opened, now, skew, place)
    subject = spec.subject
    if subject.name not in (issuer.sites if subject.kind == "site" else issuer.pools):
        raise RefusedError(refusals.subject_not_allowed(place, subject.kind, subject.name, issuer))
    check_standard(spec.claim.standard, issuer, place)
    return Evidence(
        id=f"{issuer.name}/{spec.jti}",
        subject_kind=subject.kind,
        subject=subject.name,
        standard=spec.claim.standard,
        version=spec.claim.version,
        issuer=issuer.iss,
        issued_at=begins,
        expires_at=ends,
        place=place,
        digest=digest(token),
    )


def digest(token: str) -> str:
    """What a token is called in records of it: its SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def check_audience(opened: Opened, place: Place) -> None:
    """Raises RefusedError unless the token is for whom its Issuer says (RFC 7519, section 4.1.3)."""
    audience, expected = opened.claims.get("aud"), opened.issuer.audience
    named = audience if isinstance(audience, list) else [audience]
    if (expected not in named) if expected else audience is not None:
        raise RefusedError(refusals.wrong_audience(place, audience, opened.issuer))


def check_standard(standard: str, issuer: Issuer, place: Place) -> None:
    """Raises RefusedError unless the issuer may certify the standard."""
    if standard not in issuer.standards:
        raise RefusedError(refusals.claim_not_allowed(place, standard, issuer))


def _spec(opened: Opened, place: Place) -> StatementSpec:
    try:
        return StatementSpec.model_validate(opened.claims)
    except ValidationError as trouble:
        first = trouble.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = f"`{where}`: {first['msg'].removeprefix('Value error, ')}"
        raise RefusedError(refusals.malformed(place, reason)) from trouble
