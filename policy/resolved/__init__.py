"""The resolved policy: every reference followed, every default filled in, every quantity an integer.

This is what the rest of Gridwright reads. Each clause that a rule enforces keeps its `Place`, so that a decision can be
explained by the line that asked for it.
"""

from policy.resolved.bounds import Ceiling, CostPolicy, OnMissing, ReplicaBound, ScalingPolicy
from policy.resolved.encodings import Encoding, Fidelity, Prefer
from policy.resolved.fleet import Egress, Encryption, Link, Maintenance, Pool, Purchase, Site
from policy.resolved.issuers import Authority, Issuer, IssuerKey, Nonce, Revoked
from policy.resolved.models import DeviceProfile, Model, Variant, VariantProfile
from policy.resolved.objectives import (
    AccuracyObjective,
    AvailabilityObjective,
    CostObjective,
    DegradeStep,
    LatencyObjective,
    Shed,
    ThroughputObjective,
    UseVariant,
)
from policy.resolved.policy import Named, Policy, by_name
from policy.resolved.services import (
    WHOLE_PERMILLE,
    NeverPreempts,
    Orchestration,
    Origin,
    PoolsClause,
    Removal,
    ScaleToZero,
    Service,
    Stage,
    TogetherClause,
    Within,
)

__all__ = [
    "WHOLE_PERMILLE",
    "AccuracyObjective",
    "Authority",
    "AvailabilityObjective",
    "Ceiling",
    "CostObjective",
    "CostPolicy",
    "DegradeStep",
    "DeviceProfile",
    "Egress",
    "Encoding",
    "Encryption",
    "Fidelity",
    "Issuer",
    "IssuerKey",
    "LatencyObjective",
    "Link",
    "Maintenance",
    "Model",
    "Named",
    "NeverPreempts",
    "Nonce",
    "OnMissing",
    "Orchestration",
    "Origin",
    "Policy",
    "Pool",
    "PoolsClause",
    "Prefer",
    "Purchase",
    "Removal",
    "ReplicaBound",
    "Revoked",
    "ScaleToZero",
    "ScalingPolicy",
    "Service",
    "Shed",
    "Site",
    "Stage",
    "ThroughputObjective",
    "TogetherClause",
    "UseVariant",
    "Variant",
    "VariantProfile",
    "Within",
    "by_name",
]
