"""The clauses of compliance profiles."""

from policy.clauses.certifications import CertificationClause, ForbiddenClause
from policy.clauses.places import LinkSecurityClause, LocalityClause, PurchaseClause, ResidencyClause
from policy.clauses.profile import ComplianceProfile, Scope, SeparationClause
from policy.clauses.standards import JUST_ABOVE, Comparison, Standard, VersionBound, covered
from policy.clauses.vouching import (
    ATTESTATION,
    DATA_REMOVAL,
    MODEL_SIGNATURE,
    SLSA,
    SVID,
    AttestationClause,
    LinkEvidenceClause,
    ProvenanceClause,
)

__all__ = [
    "ATTESTATION",
    "DATA_REMOVAL",
    "JUST_ABOVE",
    "MODEL_SIGNATURE",
    "SLSA",
    "SVID",
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
    "VersionBound",
    "covered",
]
