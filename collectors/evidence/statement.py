"""Signed statements: a token in which an issuer of the policy claims what an Evidence document would."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from collectors.evidence import refusals
from collectors.evidence.document import ClaimSpec, SubjectSpec
from collectors.evidence.records import Evidence
from collectors.evidence.refusals import RefusedError
from collectors.evidence.scope import check_audience, check_standard, check_subject
from collectors.evidence.span import span
from collectors.evidence.token import Opened
from policy.documents.base import Line, Spec
from policy.findings import Place
from policy.words import shown


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


def stated(opened: Opened, now: datetime, place: Place, skew: timedelta) -> Evidence:
    """The evidence in an opened token. Raises RefusedError."""
    issuer = opened.issuer
    spec = _spec(opened, place)
    check_audience(opened, place)
    begins, ends = span(opened, now, skew, place)
    subject = spec.subject
    check_subject(subject.kind, subject.name, issuer, place)
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
        digest=opened.digest,
    )


def _spec(opened: Opened, place: Place) -> StatementSpec:
    try:
        return StatementSpec.model_validate(opened.claims)
    except ValidationError as trouble:
        first = trouble.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = f"{shown(where)}: {first['msg'].removeprefix('Value error, ')}"
        raise RefusedError(refusals.malformed(place, reason)) from trouble
