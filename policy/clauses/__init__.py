"""The clauses of compliance profiles."""

from policy.clauses.attestation import (
    AFFIRMING,
    ATTESTATION,
    WARNING,
    Appraised,
    AttestationClause,
    Tcb,
    TcbClause,
)
from policy.clauses.certifications import CertificationClause, ForbiddenClause
from policy.clauses.places import LinkSecurityClause, LocalityClause, PayloadClause, PurchaseClause, ResidencyClause
from policy.clauses.profile import ComplianceProfile, Scope, SeparationClause
from policy.clauses.standards import JUST_ABOVE, Comparison, Standard, VersionBound, covered
from policy.clauses.vouching import (
    DATA_REMOVAL,
    ENCRYPTED_AT_REST,
    MODEL_SIGNATURE,
    OPAQUE_STORAGE,
    SLSA,
    SVID,
    LinkEvidenceClause,
    PinnedClause,
    ProvenanceClause,
    StorageClause,
)

__all__ = [
    "AFFIRMING",
    "ATTESTATION",
    "DATA_REMOVAL",
    "ENCRYPTED_AT_REST",
    "JUST_ABOVE",
    "MODEL_SIGNATURE",
    "OPAQUE_STORAGE",
    "SLSA",
    "SVID",
    "WARNING",
    "Appraised",
    "AttestationClause",
    "CertificationClause",
    "Comparison",
    "ComplianceProfile",
    "ForbiddenClause",
    "LinkEvidenceClause",
    "LinkSecurityClause",
    "LocalityClause",
    "PayloadClause",
    "PinnedClause",
    "ProvenanceClause",
    "PurchaseClause",
    "ResidencyClause",
    "Scope",
    "SeparationClause",
    "Standard",
    "StorageClause",
    "Tcb",
    "TcbClause",
    "VersionBound",
    "covered",
]
