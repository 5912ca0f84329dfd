"""CostPolicy: what the fleet may cost."""

from pydantic import Field

from policy.documents.base import Money, Name, PricePerHour, Spec


class CeilingSpec(Spec):
    """The most that the nodes may cost, over all sites or at one."""

    below: PricePerHour
    site: Name | None = None


class CostPolicySpec(Spec):
    """Ceilings, and what a change must save an hour for each instance that it starts."""

    ceilings: list[CeilingSpec] = Field(default_factory=list)
    start: Money = Field(default=100)
