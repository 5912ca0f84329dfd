"""What a compliance profile covers, and the clauses that it asks; each clause keeps the place where it is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.clauses.attestation import AttestationClause
from policy.clauses.certifications import CertificationClause, ForbiddenClause
from policy.clauses.places import LinkSecurityClause, LocalityClause, PayloadClause, PurchaseClause, ResidencyClause
from policy.clauses.vouching import LinkEvidenceClause, PinnedClause, ProvenanceClause, StorageClause
from policy.data_flow import Data, data, handled
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

    The stage handles data of one of `classes` or about one of `subjects`, and is one of `stages`; its service is one of
    `services`, or of one of `teams`, and has all of `labels`.
    """

    classes: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    stages: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()

    @property
    def data(self) -> Data:
        """The data that it speaks of; any, where there is none."""
        return data(self.classes, self.subjects)

    def means(self, service: "Service") -> bool:
        """Whether it speaks of a service as a whole: by what any of its stages may handle, whatever is removed."""
        if self.services and service.name not in self.services:
            return False
        if self.teams and service.team not in self.teams:
            return False
        if self.stages and not any(stage.name in self.stages for stage in service.stages):
            return False
        asked = self.data
        return set(self.labels) <= set(service.labels) and (not asked or not asked.isdisjoint(service.carried))

    def covered(self, service: "Service", handles: Mapping[str, Data] | None = None) -> tuple["Stage", ...]:
        """The stages of a service that are covered.

        `handles` are the data of each stage; without them, all that it may handle if nothing is removed.
        """
        if not self.means(service):
            return ()
        asked, found = self.data, handled(service) if handles is None else handles
        return tuple(
            stage
            for stage in service.stages
            if (not self.stages or stage.name in self.stages) and (not asked or not asked.isdisjoint(found[stage.name]))
        )


@dataclass(frozen=True, slots=True)
class ComplianceProfile:
    """What holds for all stages in its scope. Decisions are kept for `audited_s` at least while it covers any."""

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
    storage: StorageClause | None = None
    pinned: PinnedClause | None = None
    audited_s: int = 0
    payloads: PayloadClause | None = None

    def covered(self, service: "Service", handles: Mapping[str, Data] | None = None) -> tuple["Stage", ...]:
        """The stages of a service that it covers, as in `Scope`; nothing of one that it does not."""
        return self.scope.covered(service, handles)
