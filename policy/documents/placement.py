"""Where a service may run: pools that its stages are kept to or from, and stages that stand together."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from policy.documents.base import Choice, Name, Spec


class PoolsSpec(Spec):
    """Pools that fit in all that is given, and the stages that are meant (all when none is named)."""

    sites: list[Name] = Field(default_factory=list)
    pools: list[Name] = Field(default_factory=list)
    devices: list[Name] = Field(default_factory=list)
    stages: list[Name] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_some(self) -> Self:
        if not self.sites and not self.pools and not self.devices:
            raise ValueError("no pools are named: give `sites`, `pools` or `devices`")
        return self


class TogetherSpec(Spec):
    """Stages between which requests change neither site nor, where asked, rack, pool or node."""

    stages: list[Name] = Field(min_length=2)
    at: Literal["site", "rack", "pool", "node"] = "site"

    @model_validator(mode="after")
    def _names_others(self) -> Self:
        if len(set(self.stages)) < len(self.stages):
            raise ValueError("a stage is named twice: a stage is together with others")
        return self


class PlacementSpec(Choice):
    """One clause: exactly one of the three."""

    what: ClassVar[str] = "a placement clause"

    among: PoolsSpec | None = None
    outside: PoolsSpec | None = None
    together: TogetherSpec | None = None
