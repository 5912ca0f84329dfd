"""CostPolicy: what the fleet may cost."""

from typing import Self

from pydantic import Field, model_validator

from policy.documents.base import Money, Name, PricePerHour, Spec


class CeilingSpec(Spec):
    """The most that may be spent: over all sites, at one, or by one service or those of a team."""

    below: PricePerHour
    site: Name | None = None
    service: Name | None = None
    team: Name | None = None

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if sum(name is not None for name in (self.site, self.service, self.team)) > 1:
            raise ValueError("a ceiling is of one of them: give at most one of `site`, `service`, `team`")
        return self


class CostPolicySpec(Spec):
    """Ceilings, and what a change must save an hour for each instance that it starts."""

    ceilings: list[CeilingSpec] = Field(default_factory=list)
    start: Money = Field(default=100)
