"""What a PolicyTest lets happen to a fleet."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from policy.documents.base import (
    Bandwidth,
    Choice,
    DurationS,
    DurationUs,
    Factor,
    Line,
    Name,
    Positive,
    PricePerGib,
    PricePerHour,
    Rate,
    Spec,
)
from policy.documents.encoding import AdmitsSpec

Text = Annotated[str, Field(max_length=4_000)]


class NodesLostSpec(Spec):
    """So many nodes of a pool are gone, with what stood on them."""

    pool: Name
    nodes: Positive = 1


class EvidenceEndsSpec(Spec):
    """What is stated of a site, of a pool or of a model's variants is withdrawn: one standard, or all of them."""

    site: Name | None = None
    pool: Name | None = None
    model: Name | None = None
    standard: Name | None = None

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if sum(each is not None for each in (self.site, self.pool, self.model)) != 1:
            raise ValueError("evidence is of one subject: give exactly one of `site`, `pool`, `model`")
        return self


class DemandSpec(Spec):
    """What is asked of one service or of all, from one origin or from all: a new rate, or a multiple of the present."""

    service: Name | None = None
    origin: Name | None = None
    rate: Rate | None = None
    factor: Factor | None = None

    @model_validator(mode="after")
    def _one_amount(self) -> Self:
        if (self.rate is None) == (self.factor is None):
            raise ValueError("demand becomes a rate or a multiple: give exactly one of `rate`, `factor`")
        if self.rate is not None and self.service is None:
            raise ValueError("a rate is of one service: add `service`")
        return self


class LinkChangesSpec(Spec):
    """A link as it is from now on; what is not given stays. With `admits` no other encodings than these cross it."""

    between: list[Name] = Field(min_length=2, max_length=2)
    rtt: DurationUs | None = None
    jitter: DurationUs | None = None
    bandwidth: Bandwidth | None = None
    encryption: Literal["none", "tls", "mtls"] | None = None
    egress: dict[Name, PricePerGib] = Field(default_factory=dict)
    admits: AdmitsSpec | None = None


class PriceChangesSpec(Spec):
    """What a node of a pool costs from now on."""

    pool: Name
    price: PricePerHour


class RemovedSpec(Spec):
    """A document that is taken out of the policy."""

    kind: Line
    name: Name


class EventSpec(Choice):
    """One thing that happens."""

    what: ClassVar[str] = "an event"

    site_lost: Name | None = None
    nodes_lost: NodesLostSpec | None = None
    evidence_ends: EvidenceEndsSpec | None = None
    time_passes: Annotated[DurationS, Field(ge=1)] | None = None
    demand: DemandSpec | None = None
    link_lost: Annotated[list[Name], Field(min_length=2, max_length=2)] | None = None
    link_changes: LinkChangesSpec | None = None
    price_changes: PriceChangesSpec | None = None
    added: Text | None = None
    removed: RemovedSpec | None = None
