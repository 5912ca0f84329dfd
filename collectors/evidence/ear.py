"""EAT attestation results (draft-ietf-rats-ear-04): what a verifier found when it appraised a machine, and of whom."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from collectors.evidence import refusals
from collectors.evidence.appraised_part import Part, Tier, check_trusted, part_of, status_of
from collectors.evidence.ear_names import STATUS, SUBMODS, VERIFIER
from collectors.evidence.members import mapping, text
from collectors.evidence.nonce import given_out_at
from collectors.evidence.records import Attestation, Evidence
from collectors.evidence.refusals import RefusedError
from collectors.evidence.scope import check_audience, check_standard, check_subject
from collectors.evidence.span import issued, span
from collectors.evidence.token import Opened
from policy.clauses import ATTESTATION
from policy.documents.issuer import AttestedSpec
from policy.findings import Place
from policy.resolved import Issuer

PROFILE: Final = "eat_profile"
PROFILES: Final = (
    "tag:github.com,2023:veraison/ear",
    "tag:github.com,2024:confidential-containers/Trustee",
    "tag:ietf.org,2026:rats/ear#04",
)


@dataclass(frozen=True, slots=True)
class Appraisal:
    """A verified attestation result that holds from `issued_at` until `expires_at` (excluded), UTC.

    The verifier looked at `appraised_at`, and trusts every part at least as far as `tier`. What it looked at was said
    no earlier than `nonce_at`, where the result carries a nonce of its subject. One without a subject is of no site and
    no pool, and permits nothing.
    """

    issuer: Issuer
    appraised_at: datetime
    subject: tuple[str, str] | None
    verifier: str
    build: str
    tier: Tier
    parts: tuple[Part, ...]
    issued_at: datetime
    expires_at: datetime
    place: Place
    digest: str
    nonce_at: datetime | None = None


def appraised(opened: Opened, now: datetime, place: Place, skew: timedelta) -> Appraisal:
    """The attestation result in an opened token. Raises RefusedError."""
    claims = opened.claims
    if claims[PROFILE] not in PROFILES:
        raise RefusedError(refusals.malformed(place, f"its `{PROFILE}` is none of {', '.join(PROFILES)}"))
    verifier = mapping(claims, VERIFIER, place)
    developer, build = (text(verifier, name, place) for name in ("developer", "build"))
    check_audience(opened, place)
    begins, ends = span(opened, now, skew, place)
    check_standard(ATTESTATION, opened.issuer, place)
    submods = mapping(claims, SUBMODS, place)
    if not submods:
        raise RefusedError(refusals.not_affirmed(place, SUBMODS, "none is there"))
    parts = tuple(part_of(name, mapping(submods, name, place), place) for name in sorted(submods))
    worst = max(part.tier for part in parts)
    whole = status_of(claims, place) if STATUS in claims else Tier.NONE
    if whole is not Tier.NONE:
        check_trusted("ear.status", whole, worst, place)
    subject = _subject(opened, place)
    return Appraisal(
        issuer=opened.issuer,
        appraised_at=issued(opened, place),
        subject=subject,
        verifier=developer,
        build=build,
        tier=max(worst, whole),
        parts=parts,
        issued_at=begins,
        expires_at=ends,
        place=place,
        digest=opened.digest,
        nonce_at=given_out_at(opened, subject, place, skew) if subject else None,
    )


def evidence_in(appraisal: Appraisal) -> Evidence | None:
    """What the result proves of its subject; None where it has none."""
    if appraisal.subject is None:
        return None
    kind, name = appraisal.subject
    parts, issuer = appraisal.parts, appraisal.issuer
    devices = [set(part.features) for part in parts if part.features is not None]
    attestation = Attestation(
        verifier=issuer.name,
        tees=tuple(sorted({tee for part in parts for tee in part.tees})),
        claims=tuple(sorted(frozenset.intersection(*(part.affirmed for part in parts)))),
        devices=tuple(sorted(set.intersection(*devices))) if devices else (),
        appraised_at=appraisal.appraised_at,
        tier=appraisal.tier.word,
        tcbs=tuple(tcb for part in parts for tcb in part.tcbs),
        nonce_at=appraisal.nonce_at,
    )
    return Evidence(
        id=f"{issuer.name}/{appraisal.digest[:16]}",
        subject_kind=kind,
        subject=name,
        standard=ATTESTATION,
        version=(1,),
        issuer=issuer.iss,
        issued_at=appraisal.issued_at,
        expires_at=appraisal.expires_at,
        place=appraisal.place,
        digest=appraisal.digest,
        attestation=attestation,
    )


def _subject(opened: Opened, place: Place) -> tuple[str, str] | None:
    """Whom the result is about: whom it names, or the only site or pool that its Issuer may speak of."""
    issuer = opened.issuer
    if "subject" not in opened.claims:
        alone = [*(("site", name) for name in issuer.sites), *(("pool", name) for name in issuer.pools)]
        return alone[0] if len(alone) == 1 else None
    try:
        subject = AttestedSpec.model_validate(opened.claims["subject"])
    except ValidationError as trouble:
        reason = "`subject` is not one site, one pool or one node as POOL/NODE"
        raise RefusedError(refusals.malformed(place, reason)) from trouble
    check_subject(*subject.spoken_of, issuer, place)
    return subject.kind, subject.name
