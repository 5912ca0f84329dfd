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
from policy.clauses.places import LinkSecurityClause, LocalityClause, PurchaseClause, ResidencyClause
from policy.clauses.profile import ComplianceProfile, Scope, SeparationClause
from policy.clauses.standards import JUST_ABOVE, Comparison, Standard, VersionBound, covered
from policy.clauses.vouching import (
    DATA_REMOVAL,
    MODEL_SIGNATURE,
    SLSA,
    SVID,
    LinkEvidenceClause,
    ProvenanceClause,
)

__all__ = [
    "AFFIRMING",
    "ATTESTATION",
    "DATA_REMOVAL",
    "JUST_ABOVE",
    "MODEL_SIGNATURE",
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
    "ProvenanceClause",
    "PurchaseClause",
    "ResidencyClause",
    "Scope",
    "SeparationClause",
    "Standard",
    "Tcb",
    "TcbClause",
    "VersionBound",
    "covered",
]
