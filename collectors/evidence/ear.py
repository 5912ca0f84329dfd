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

from collectors.evidence import refusals
from collectors.evidence.refusals import RefusedError
from collectors.evidence.scope import check_audience, check_standard
from collectors.evidence.span import span
from collectors.evidence.token import VERIFIER, Opened, digest
from policy.findings import Place
from policy.words import shown

PROFILE: Final = "eat_profile"
PROFILES: Final = ("tag:github.com,2023:veraison/ear", "tag:github.com,2024:confidential-containers/Trustee")
STANDARD: Final = "attestation"
"""What an Issuer must be allowed to claim for its attestation results to count."""
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
    """A submodule and its claims: (name, int8) of those that the verifier made."""

    name: str
    claims: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Appraisal:
    """A verified attestation result whose every part is affirmed from `issued_at` until `expires_at` (excluded), UTC.

    It names no site and no pool, so by itself it permits nothing.
    """

    issuer: str
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
    check_standard(STANDARD, opened.issuer, place)
    submods = _mapping(claims, "submods", place)
    if not submods:
        raise RefusedError(refusals.not_affirmed(place, "submods", "none is there"))
    parts = tuple(_part(name, _mapping(submods, name, place), place) for name in sorted(submods))
    return Appraisal(opened.issuer.iss, developer, build, parts, begins, ends, place, digest(token))


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
    return Part(name, tuple(sorted(vector.items())))


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
