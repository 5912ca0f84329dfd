"""What a compliance profile covers, and the clauses that it asks; each clause keeps the place where it is written."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from policy.findings import Place

if TYPE_CHECKING:
    from policy.resolved import Encryption, Purchase, Service, Stage


ATTESTATION: Final = "attestation"
"""The standard that an Issuer must be allowed for its attestation results to count."""
SLSA: Final = "slsa"
"""The standard of statements on how an artefact was built; its version is the level of SLSA's build track."""
SVID: Final = "x509-svid"
"""The standard of certificates that name a site or a pool in a SPIFFE trust domain."""
MODEL_SIGNATURE: Final = "model-signature"
"""The standard of signatures over the files of a model."""
JUST_ABOVE: Final = (0, 0, 0, 0, 0, 1)
"""Parts that no version in a document has: between it and the next one there is always another."""


class Comparison(StrEnum):
    """How a version is held to another."""

    AT_LEAST = ">="
    ABOVE = ">"
    AT_MOST = "<="
    BELOW = "<"
    EXACTLY = "="


@dataclass(frozen=True, slots=True)
class VersionBound:
    """A version by number, and how another one has to stand to it. Missing parts count as 0: 4 is 4.0."""

    comparison: Comparison
    version: tuple[int, ...]

    def admits(self, version: tuple[int, ...]) -> bool:
        """Whether a version stands so."""
        one, other = _without_zeros(version), _without_zeros(self.version)
        match self.comparison:
            case Comparison.AT_LEAST:
                return one >= other
            case Comparison.ABOVE:
                return one > other
            case Comparison.AT_MOST:
                return one <= other
            case Comparison.BELOW:
                return one < other
            case Comparison.EXACTLY:
                return one == other

    def __str__(self) -> str:
        return f"{self.comparison}{'.'.join(map(str, self.version))}"


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard in any version that every bound admits."""

    name: str
    bounds: tuple[VersionBound, ...] = ()

    def met_by(self, name: str, version: tuple[int, ...]) -> bool:
        """Whether that version of that standard is meant."""
        return name == self.name and all(bound.admits(version) for bound in self.bounds)

    @property
    def is_possible(self) -> bool:
        """Whether any version is meant."""
        return any(self.met_by(self.name, version) for version in _telling(self.bounds))

    def is_within(self, other: "Standard") -> bool:
        """Whether the other one means every version of it that this one means."""
        versions = _telling((*self.bounds, *other.bounds))
        return all(other.met_by(self.name, version) for version in versions if self.met_by(self.name, version))

    def __str__(self) -> str:
        return f"{self.name} {', '.join(map(str, self.bounds))}".strip()


def covered(standard: Standard, by: Iterable[Standard]) -> bool:
    """Whether every version that the standard means is meant by one of the others, too."""
    others = [other for other in by if other.name == standard.name]
    versions = _telling(tuple(bound for each in (standard, *others) for bound in each.bounds))
    return all(
        any(other.met_by(standard.name, version) for other in others)
        for version in versions
        if standard.met_by(standard.name, version)
    )


@dataclass(frozen=True, slots=True)
class CertificationClause:
    """At least one of these standards must be held."""

    any_of: tuple[Standard, ...]
    place: Place

    def met_by(self, name: str, version: tuple[int, ...]) -> bool:
        """Whether that version of that standard is one of them."""
        return any(standard.met_by(name, version) for standard in self.any_of)

    def is_within(self, other: "CertificationClause") -> bool:
        """Whether whatever meets this clause meets the other one."""
        return all(covered(standard, other.any_of) for standard in self.any_of)

    def __str__(self) -> str:
        return " or ".join(map(str, self.any_of))


@dataclass(frozen=True, slots=True)
class ForbiddenClause:
    """A standard that must not be held: what it says of a site or a pool is not wanted."""

    standard: Standard
    place: Place


@dataclass(frozen=True, slots=True)
class ResidencyClause:
    """Every site and hop that sees the data must lie within one of these jurisdictions."""

    within: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class LinkSecurityClause:
    """Every hop must be protected at least this well."""

    encryption: "Encryption"
    place: Place


@dataclass(frozen=True, slots=True)
class PurchaseClause:
    """Every pool must be bought in one of these ways."""

    among: "tuple[Purchase, ...]"
    place: Place


@dataclass(frozen=True, slots=True)
class AttestationClause:
    """A verifier must have affirmed the nodes, no longer than `max_age_s` ago (0 for any age).

    Their trusted execution environments are all among `tees`, and there is one (for () there need not be any); every
    part affirms `claims`, and every device has `devices`. The verifier is one of `verifiers`, the names of Issuers (any
    for ()).
    """

    tees: tuple[str, ...]
    claims: tuple[str, ...]
    devices: tuple[str, ...]
    verifiers: tuple[str, ...]
    max_age_s: int
    place: Place

    def met_by(self, verifier: str, tees: tuple[str, ...], claims: tuple[str, ...], devices: tuple[str, ...]) -> bool:
        """Whether such a result is meant, whatever its age."""
        return (
            (not self.verifiers or verifier in self.verifiers)
            and (not self.tees or (bool(tees) and set(tees) <= set(self.tees)))
            and set(self.claims) <= set(claims)
            and set(self.devices) <= set(devices)
        )

    def is_within(self, other: "AttestationClause") -> bool:
        """Whether every result that this one means is meant by the other one."""
        return (
            _is_among(self.tees, other.tees)
            and _is_among(self.verifiers, other.verifiers)
            and set(other.claims) <= set(self.claims)
            and set(other.devices) <= set(self.devices)
            and (not other.max_age_s or 0 < self.max_age_s <= other.max_age_s)
        )

    def __str__(self) -> str:
        asked = [" or ".join(self.tees), *self.claims, *self.devices]
        return f"attestation ({', '.join(each for each in asked if each)})" if any(asked) else "attestation"


@dataclass(frozen=True, slots=True)
class ProvenanceClause:
    """The artefact of a variant must be vouched for by one of `signers`, which are names of Issuers (any for ())."""

    standard: Standard
    signers: tuple[str, ...]
    place: Place

    def met_by(self, signer: str, name: str, version: tuple[int, ...]) -> bool:
        """Whether what a signer says is meant."""
        return (not self.signers or signer in self.signers) and self.standard.met_by(name, version)

    def is_within(self, other: "ProvenanceClause") -> bool:
        """Whether whatever this one means is meant by the other one."""
        return _is_among(self.signers, other.signers) and self.standard.is_within(other.standard)

    def __str__(self) -> str:
        return f"{self.standard} of {' or '.join(self.signers)}" if self.signers else str(self.standard)


@dataclass(frozen=True, slots=True)
class LocalityClause:
    """Every covered stage runs at the site that its requests come from."""

    place: Place


@dataclass(frozen=True, slots=True)
class SeparationClause:
    """No covered stage runs on a node that may also run a stage of other services within this scope."""

    others: "Scope"
    place: Place


@dataclass(frozen=True, slots=True)
class Scope:
    """The stages that a profile covers: those that fit in all respects of which it says something.

    The service carries data of one of `classes` or about one of `subjects`; it is one of `services`, or of one of
    `teams`; it has all of `labels`; the stage is one of `stages`.
    """

    classes: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    stages: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()

    def covered(self, service: "Service") -> tuple["Stage", ...]:
        """The stages of a service that are covered."""
        if self.services and service.name not in self.services:
            return ()
        if self.teams and service.team not in self.teams:
            return ()
        if not set(self.labels) <= set(service.labels) or not self._speaks_of_data(service):
            return ()
        return tuple(stage for stage in service.stages if not self.stages or stage.name in self.stages)

    def _speaks_of_data(self, service: "Service") -> bool:
        asked, carried = (self.classes, self.subjects), (service.data_classes, service.data_subjects)
        return not any(asked) or any(not set(words).isdisjoint(has) for words, has in zip(asked, carried, strict=True))


@dataclass(frozen=True, slots=True)
class ComplianceProfile:
    """What holds for all stages in its scope."""

    name: str
    scope: Scope
    certifications: tuple[CertificationClause, ...]
    forbidden: tuple[ForbiddenClause, ...]
    residency: ResidencyClause | None
    link_security: LinkSecurityClause | None
    purchase: PurchaseClause | None
    place: Place
    locality: LocalityClause | None = None
    separation: SeparationClause | None = None
    attestation: AttestationClause | None = None
    provenance: tuple[ProvenanceClause, ...] = ()

    def covered(self, service: "Service") -> tuple["Stage", ...]:
        """The stages of a service that it covers; nothing of one that it does not."""
        return self.scope.covered(service)


def _is_among(words: tuple[str, ...], allowed: tuple[str, ...]) -> bool:
    """Whether all that the words mean is allowed; none of them mean anything."""
    return not allowed or (bool(words) and set(words) <= set(allowed))


def _telling(bounds: tuple[VersionBound, ...]) -> list[tuple[int, ...]]:
    """Versions by which ranges are told apart: 0, those that a bound names, and the ones just above."""
    named = [bound.version for bound in bounds]
    return [(0,), *named, *((*version, *JUST_ABOVE) for version in named)]


def _without_zeros(version: tuple[int, ...]) -> tuple[int, ...]:
    """The same version without zeros at its end, so that tuples compare as versions do."""
    end = len(version)
    while end and version[end - 1] == 0:
        end -= 1
    return version[:end]
