"""EAT attestation results (draft-ietf-rats-ear-04): what a verifier found when it appraised the parts of a machine.

A result says of each part (submodule) how far it may be trusted, by a vector of claims and by a status that sums them
up (draft-ietf-rats-ar4si, section 2.3). The status is worked out here once more: a signed one that is better than its
claims is refused, and a part that no claim vouches for is not trusted, whatever its status.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Final

from pydantic import ValidationError

from collectors.evidence import refusals
from collectors.evidence.devices import features_of, tees_of
from collectors.evidence.document import SubjectSpec
from collectors.evidence.records import Attestation, Evidence
from collectors.evidence.refusals import RefusedError
from collectors.evidence.scope import check_audience, check_standard, check_subject
from collectors.evidence.span import issued, span
from collectors.evidence.token import VERIFIER, Opened, digest
from policy.clauses import ATTESTATION
from policy.findings import Place
from policy.resolved import Issuer
from policy.words import shown

PROFILE: Final = "eat_profile"
PROFILES: Final = ("tag:github.com,2023:veraison/ear", "tag:github.com,2024:confidential-containers/Trustee")
CLAIMS: Final = (
    "configuration",
    "executables",
    "file-system",
    "hardware",
    "instance-identity",
    "runtime-opaque",
    "sourced-data",
    "storage-opaque",
)
_INT8: Final = range(-128, 128)
_NONE: Final = range(-1, 2)
_AFFIRMING: Final = range(-32, 32)
_WARNING: Final = range(-96, 96)
"""Each without those before it: the tiers of AR4SI, section 2.3.2."""


class Tier(IntEnum):
    """How far a part may be trusted; higher is worse, and NONE says nothing at all."""

    NONE = 0
    AFFIRMING = 2
    WARNING = 32
    CONTRAINDICATED = 96

    @property
    def word(self) -> str:
        """As `ear.status` has it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Part:
    """A submodule: its claims as (name, int8), its trusted execution environments, its features if it is a device."""

    name: str
    claims: tuple[tuple[str, int], ...]
    tees: tuple[str, ...] = ()
    features: tuple[str, ...] | None = None

    @property
    def affirmed(self) -> frozenset[str]:
        """The claims that are affirmed, one by one."""
        return frozenset(name for name, value in self.claims if tier(value) is Tier.AFFIRMING)


@dataclass(frozen=True, slots=True)
class Appraisal:
    """A verified attestation result whose every part is affirmed from `issued_at` until `expires_at` (excluded), UTC.

    The verifier looked at `appraised_at`. One without a subject is of no site and no pool, and permits nothing.
    """

    issuer: Issuer
    appraised_at: datetime
    subject: tuple[str, str] | None
    verifier: str
    build: str
    parts: tuple[Part, ...]
    issued_at: datetime
    expires_at: datetime
    place: Place
    digest: str


def appraised(token: str, opened: Opened, now: datetime, place: Place, skew: timedelta) -> Appraisal:
    """The attestation result in an opened token. Raises RefusedError."""
    claims = opened.claims
    if claims[PROFILE] not in PROFILES:
        raise RefusedError(refusals.malformed(place, f"its `{PROFILE}` is none of {', '.join(PROFILES)}"))
    verifier = _mapping(claims, VERIFIER, place)
    developer, build = (_text(verifier, name, place) for name in ("developer", "build"))
    check_audience(opened, place)
    begins, ends = span(opened, now, skew, place)
    check_standard(ATTESTATION, opened.issuer, place)
    submods = _mapping(claims, "submods", place)
    if not submods:
        raise RefusedError(refusals.not_affirmed(place, "submods", "none is there"))
    parts = tuple(_part(name, _mapping(submods, name, place), place) for name in sorted(submods))
    return Appraisal(
        issuer=opened.issuer,
        appraised_at=issued(opened, place),
        subject=_subject(opened, place),
        verifier=developer,
        build=build,
        parts=parts,
        issued_at=begins,
        expires_at=ends,
        place=place,
        digest=digest(token),
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
        subject = SubjectSpec.model_validate(opened.claims["subject"])
    except ValidationError as trouble:
        reason = "`subject` is not one site or one pool by its name"
        raise RefusedError(refusals.malformed(place, reason)) from trouble
    check_subject(subject.kind, subject.name, issuer, place)
    return subject.kind, subject.name


def tier(value: int) -> Tier:
    """The tier of a claim, which is a signed 8-bit number: one far below zero is as bad as one far above."""
    if value in _NONE:
        return Tier.NONE
    if value in _AFFIRMING:
        return Tier.AFFIRMING
    return Tier.WARNING if value in _WARNING else Tier.CONTRAINDICATED


def _part(name: str, found: Mapping[str, Any], place: Place) -> Part:
    status = _status(found, place)
    vector = _mapping(found, "ear.trustworthiness-vector", place) if "ear.trustworthiness-vector" in found else {}
    worst = max((tier(_claim(vector, claim, place)) for claim in vector), default=Tier.NONE)
    if status is Tier.AFFIRMING and worst is Tier.NONE:
        raise RefusedError(refusals.not_affirmed(place, name, "no claim vouches for it"))
    if Tier.NONE < status < worst:
        raise RefusedError(refusals.embellished(place, name, status.word, worst.word))
    if status is not Tier.AFFIRMING:
        raise RefusedError(refusals.not_affirmed(place, name, f"its status is {status.word}"))
    return Part(name, tuple(sorted(vector.items())), tees_of(found), features_of(found))


def _status(found: Mapping[str, Any], place: Place) -> Tier:
    word = _text(found, "ear.status", place)
    status = next((each for each in Tier if each.word == word), None)
    if status is None:
        raise RefusedError(
            refusals.malformed(place, f"`ear.status` is none of {', '.join(each.word for each in Tier)}")
        )
    return status


def _claim(vector: Mapping[str, Any], name: str, place: Place) -> int:
    value = vector[name]
    if name not in CLAIMS or isinstance(value, bool) or not isinstance(value, int) or value not in _INT8:
        raise RefusedError(refusals.malformed(place, "a claim of a trustworthiness vector is unknown, or no int8"))
    return value


def _mapping(found: Mapping[str, Any], name: str, place: Place) -> Mapping[str, Any]:
    value = found.get(name)
    if not isinstance(value, dict):
        raise RefusedError(refusals.malformed(place, f"there is no object {shown(name)}"))
    return value


def _text(found: Mapping[str, Any], name: str, place: Place) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise RefusedError(refusals.malformed(place, f"there is no text `{name}`"))
    return value
