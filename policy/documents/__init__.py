"""The kinds of document, each as people write it. `KINDS` is the one list of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from policy.documents.base import Spec
from policy.documents.compliance_profile import ComplianceProfileSpec
from policy.documents.cost_policy import CostPolicySpec
from policy.documents.device_profile import DeviceProfileSpec
from policy.documents.environment import EnvironmentSpec
from policy.documents.include import IncludeSpec
from policy.documents.issuer import IssuerSpec
from policy.documents.link import LinkSpec
from policy.documents.maintenance import MaintenanceSpec
from policy.documents.model import ModelSpec
from policy.documents.organisation import OrganisationSpec
from policy.documents.policy_test import PolicyTestSpec
from policy.documents.pool import PoolSpec
from policy.documents.scaling_policy import ScalingPolicySpec
from policy.documents.service import ServiceSpec
from policy.documents.site import SiteSpec
from policy.documents.team import TeamSpec
from policy.documents.variables import VariablesSpec

API_VERSION: Final = "gridwright.dev/v1alpha1"

KINDS: Final[Mapping[str, type[Spec]]] = MappingProxyType(
    {
        "Service": ServiceSpec,
        "Model": ModelSpec,
        "Site": SiteSpec,
        "Pool": PoolSpec,
        "Link": LinkSpec,
        "DeviceProfile": DeviceProfileSpec,
        "ComplianceProfile": ComplianceProfileSpec,
        "Issuer": IssuerSpec,
        "CostPolicy": CostPolicySpec,
        "ScalingPolicy": ScalingPolicySpec,
        "Maintenance": MaintenanceSpec,
        "Include": IncludeSpec,
        "Variables": VariablesSpec,
        "Environment": EnvironmentSpec,
        "Organisation": OrganisationSpec,
        "Team": TeamSpec,
        "PolicyTest": PolicyTestSpec,
    }
)

TEST: Final = "PolicyTest"
"""The kind that is no part of the policy in force."""
