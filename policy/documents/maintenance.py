"""Maintenance: when sites or pools serve nobody, because somebody works on them."""

from typing import Self

from pydantic import Field, model_validator

from policy.documents.base import DurationS, Instant, Name, Spec


class WindowSpec(Spec):
    """From an instant to another, and again each time that `every` has gone by."""

    from_: Instant = Field(alias="from")
    until: Instant
    every: DurationS | None = None

    @model_validator(mode="after")
    def _is_ahead(self) -> Self:
        lasts_s = (self.until - self.from_).total_seconds()
        if lasts_s <= 0:
            raise ValueError("`until` is not after `from`")
        if self.every is not None and self.every <= lasts_s:
            raise ValueError("`every` is not longer than the window: it would never be over")
        return self


class MaintenanceSpec(WindowSpec):
    """The window, and the sites and pools of which it tells."""

    sites: list[Name] = Field(default_factory=list)
    pools: list[Name] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_some(self) -> Self:
        if not self.sites and not self.pools:
            raise ValueError("nothing is under maintenance: give `sites` or `pools`")
        return self
