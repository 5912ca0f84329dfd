"""The parts of a machine in an attestation result, each with how far it may be trusted.

A part (submodule) has a vector of claims, which are signed 8-bit numbers, and a status that sums them up
(draft-ietf-rats-ar4si, section 2.3). The status is worked out here once more: a signed one that is better than its
claims is refused, and a part that no claim vouches for is not trusted, whatever its status.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final, get_args

from collectors.evidence import refusals
from collectors.evidence.devices import check_environments, features_of, tcbs_of, tees_of
from collectors.evidence.ear_names import STATUS, SUBMODS, VECTOR
from collectors.evidence.members import mapping, text
from collectors.evidence.refusals import RefusedError
from policy.clauses import Tcb
from policy.documents.compliance_profile import TrustClaim
from policy.findings import Place
from policy.words import shown

CLAIMS: Final[tuple[str, ...]] = get_args(TrustClaim)
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


_TRUSTED: Final = (Tier.AFFIRMING, Tier.WARNING)
OPAQUE: Final = "runtime-opaque"
"""The claim that what runs is kept from whoever owns the machine (AR4SI, section 2.3.4)."""


@dataclass(frozen=True, slots=True)
class Part:
    """A submodule: its tier, its claims as (name, int8), its environments with their TCBs, its features as a device."""

    name: str
    tier: Tier
    claims: tuple[tuple[str, int], ...]
    tees: tuple[str, ...] = ()
    tcbs: tuple[Tcb, ...] = ()
    features: tuple[str, ...] | None = None

    @property
    def affirmed(self) -> frozenset[str]:
        """The claims that are affirmed, one by one."""
        return frozenset(name for name, value in self.claims if tier(value) is Tier.AFFIRMING)


def tier(value: int) -> Tier:
    """The tier of a claim, which is a signed 8-bit number: one far below zero is as bad as one far above."""
    if value in _NONE:
        return Tier.NONE
    if value in _AFFIRMING:
        return Tier.AFFIRMING
    return Tier.WARNING if value in _WARNING else Tier.CONTRAINDICATED


def part_of(name: str, found: Mapping[str, Any], place: Place) -> Part:
    """The part of that name, which is affirmed, or warned of. Raises RefusedError for any other."""
    if SUBMODS in found:
        raise RefusedError(refusals.malformed(place, f"{shown(name)} has `{SUBMODS}` of its own, and no part may"))
    status = status_of(found, place)
    vector = mapping(found, VECTOR, place) if VECTOR in found else {}
    worst = max((tier(_claim(vector, claim, place)) for claim in vector), default=Tier.NONE)
    if status in _TRUSTED and worst is Tier.NONE:
        raise RefusedError(refusals.not_affirmed(place, name, "no claim vouches for it"))
    check_trusted(name, status, worst, place)
    check_environments(found, place)
    part = Part(name, status, tuple(sorted(vector.items())), tees_of(found), tcbs_of(found), features_of(found))
    if part.features is None or OPAQUE not in part.affirmed:
        return part
    return replace(part, features=tuple(sorted((*part.features, "confidential-computing"))))


def check_trusted(name: str, status: Tier, worst: Tier, place: Place) -> None:
    """Raises RefusedError where the status is better than the worst that it sums up, or trusts nothing."""
    if Tier.NONE < status < worst:
        raise RefusedError(refusals.embellished(place, name, status.word, worst.word))
    if status not in _TRUSTED:
        raise RefusedError(refusals.not_affirmed(place, name, f"its status is {status.word}"))


def status_of(found: Mapping[str, Any], place: Place) -> Tier:
    """The status of a part, or of the whole. Raises RefusedError where there is none."""
    word = text(found, STATUS, place)
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
