"""What an Organisation and a Team have in common: defaults, limits and compliance for the services below."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from policy.documents.base import Choice, Count, Spec
from policy.documents.compliance_profile import ClausesSpec
from policy.documents.service import AccuracySpec, AvailabilitySpec, DegradeSpec, LatencyFromAllSpec, each_once


class DefaultObjectiveSpec(Choice):
    """One objective: exactly one of the three. Only a service knows its origins, so a latency is meant for all."""

    what: ClassVar[str] = "an objective"

    latency: LatencyFromAllSpec | None = None
    availability: AvailabilitySpec | None = None
    accuracy: AccuracySpec | None = None


class DefaultsSpec(Spec):
    """What a service has that does not say it itself. Nearer tiers win: Service, Team, Organisation."""

    objectives: Annotated[list[DefaultObjectiveSpec], AfterValidator(each_once)] = Field(default_factory=list)
    degrade: list[DegradeSpec] = Field(default_factory=list)
    priority: Count | None = None


class LimitsSpec(Spec):
    """What no service below may go beyond: the highest priority, the least accuracy and the least availability."""

    accuracy: AccuracySpec | None = None
    availability: AvailabilitySpec | None = None
    priority: Count | None = None


class TierSpec(Spec):
    """Preferences that a lower tier may change, limits and clauses that it can only tighten."""

    compliance: ClausesSpec | None = None
    limits: LimitsSpec = LimitsSpec()
    defaults: DefaultsSpec = DefaultsSpec()
