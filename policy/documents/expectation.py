"""What a PolicyTest expects of the plan that a fleet comes to rest with."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from policy.documents.base import Choice, Count, DurationUs, FindingId, Name, PricePerHour, Share, Spec


class WhereSpec(Spec):
    """A service, or one of its stages, and the sites and pools that are meant."""

    service: Name
    stage: Name | None = None
    sites: list[Name] = Field(default_factory=list)
    pools: list[Name] = Field(default_factory=list)

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.sites and not self.pools:
            raise ValueError("no place is given: add `sites`, `pools` or both")
        return self


class BarredSpec(WhereSpec):
    """The same, and the ComplianceProfile that has to be the reason."""

    by: Name | None = None


class ServedSpec(Spec):
    """The share of each origin's requests, or of one origin's, that is served."""

    service: Name
    origin: Name | None = None
    at_least: Share


class TailSpec(Spec):
    """The predicted 99th percentile of a service's latency, from every origin or from one."""

    service: Name
    origin: Name | None = None
    below: DurationUs


class CostSpec(Spec):
    """What the powered nodes cost an hour, at all sites or at one."""

    below: PricePerHour
    site: Name | None = None


class FindingSpec(Spec):
    """A finding by its id, about anything or about one service."""

    id: FindingId
    service: Name | None = None


class ReplicasSpec(Spec):
    """How many instances of a model run, at all sites or at one."""

    model: Name
    site: Name | None = None
    min: Count = 0
    max: Count = 1_000


class ExpectationSpec(Choice):
    """One thing that has to be so."""

    what: ClassVar[str] = "an expectation"

    runs_only: WhereSpec | None = None
    runs_nowhere: Name | None = None
    never_on: WhereSpec | None = None
    allowed: WhereSpec | None = None
    barred: BarredSpec | None = None
    served: ServedSpec | None = None
    p99: TailSpec | None = None
    feasible: bool | None = None
    cost: CostSpec | None = None
    replicas: ReplicasSpec | None = None
    finding: FindingSpec | None = None
    no_finding: FindingSpec | None = None
    unchanged: Annotated[list[Name], Field(min_length=1)] | None = None
