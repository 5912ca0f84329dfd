"""All rules, in the order in which findings name them: what people asked for first, then what machines can hold."""

from typing import Final

from rules.accuracy import Accuracy
from rules.allocated_cost import AllocatedCost
from rules.attestation import Attestation
from rules.availability import Availability
from rules.budget import Budget
from rules.capacity import Capacity
from rules.certification import Certification
from rules.churn import Churn
from rules.dedication import Dedication
from rules.degrade import Degrade
from rules.device_memory import DeviceMemory
from rules.device_share import DeviceShare
from rules.encryption_at_rest import EncryptionAtRest
from rules.forbidden_certification import ForbiddenCertification
from rules.gathering import Gathering
from rules.kernel.rule import Excluding, Rule
from rules.latency import Latency
from rules.link_evidence import LinkEvidence
from rules.link_security import LinkSecurity
from rules.locality import Locality
from rules.maintenance import Maintenance
from rules.one_setting import OneSetting
from rules.payload_encoding import PayloadEncoding
from rules.payload_fidelity import PayloadFidelity
from rules.pinned import Pinned
from rules.placement import Placement
from rules.preemption import Preemption
from rules.provenance import Provenance
from rules.purchase import Purchase
from rules.replica_bounds import ReplicaBounds
from rules.residency import Residency
from rules.separation import Separation
from rules.served import Served
from rules.spares import Spares
from rules.standing import Standing
from rules.survival import Survival
from rules.together import Together
from rules.unit_cost import UnitCost
from rules.wake_up import WakeUp

COMPLIANCE: Final[tuple[Excluding, ...]] = (
    Certification(),
    ForbiddenCertification(),
    Attestation(),
    EncryptionAtRest(),
    Provenance(),
    Pinned(),
    Residency(),
    LinkSecurity(),
    LinkEvidence(),
    PayloadFidelity(),
    Purchase(),
    Locality(),
    Separation(),
)
"""The rules that keep clauses of a ComplianceProfile: what is no matter of speed, of room or of price."""

OF_POOLS: Final[tuple[Excluding, ...]] = (*(rule for rule in COMPLIANCE if not rule.of_paths), Dedication())
"""By which rules a pool may have a stage or not: what keeps protected stages apart is that others are kept out.

Those on whole paths are not among them: no pool keeps them or breaks them.
"""

STANDING: Final = Standing(OF_POOLS)

RULES: Final[tuple[Rule, ...]] = (
    Served(),
    Certification(),
    ForbiddenCertification(),
    Attestation(),
    EncryptionAtRest(),
    Provenance(),
    Pinned(),
    Residency(),
    LinkSecurity(),
    LinkEvidence(),
    PayloadFidelity(),
    Purchase(),
    Locality(),
    Separation(),
    Dedication(),
    STANDING,
    Placement(),
    Together(),
    Gathering(),
    Maintenance(),
    Accuracy(),
    PayloadEncoding(),
    Latency(),
    UnitCost(),
    WakeUp(),
    Degrade(),
    Preemption(),
    Availability(),
    Spares(),
    Survival(),
    Capacity(),
    DeviceMemory(),
    DeviceShare(),
    OneSetting(),
    Budget(),
    AllocatedCost(),
    ReplicaBounds(),
    Churn(),
)

EXCLUDING: Final[tuple[Excluding, ...]] = tuple(
    rule for rule in RULES if isinstance(rule, Excluding) and rule is not STANDING
)
"""The rules that bar uses or paths, in the same order. What `standing` bars follows from that."""

BARRING: Final[tuple[Excluding, ...]] = tuple(rule for rule in EXCLUDING if rule.always)
"""Those of them that hold at every moment: what they bar carries nothing, also where no plan is found."""

OF_PATHS: Final[tuple[Excluding, ...]] = tuple(rule for rule in EXCLUDING if rule.of_paths)
"""Those of them that bar paths."""
