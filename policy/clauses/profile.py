"""What a compliance profile covers, and the clauses that it asks; each clause keeps the place where it is written."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.clauses.attestation import AttestationClause
from policy.clauses.certifications import CertificationClause, ForbiddenClause
from policy.clauses.places import LinkSecurityClause, LocalityClause, PurchaseClause, ResidencyClause
from policy.clauses.vouching import LinkEvidenceClause, ProvenanceClause
from policy.findings import Place

if TYPE_CHECKING:
    from policy.resolved import Service, Stage


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
    link_evidence: LinkEvidenceClause | None = None

    def covered(self, service: "Service") -> tuple["Stage", ...]:
        """The stages of a service that it covers; nothing of one that it does not."""
        return self.scope.covered(service)
