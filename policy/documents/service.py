"""Service: a DAG of model calls, where its requests come from, and what it promises."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from policy.documents.base import (
    Choice,
    Count,
    DurationS,
    DurationUs,
    Money,
    Name,
    PayloadBytes,
    Percentile,
    Positive,
    Rate,
    Ratio,
    Share,
    Spec,
    Word,
)
from policy.documents.compliance_profile import ClausesSpec
from policy.documents.encoding import EncodingSpec, each_format_once
from policy.documents.placement import PlacementSpec
from policy.documents.written import Written

MAX_STAGES: Final = 20
_ONE_ENTRY: Final = Written({"minProperties": 1, "maxProperties": 1})


class DataSpec(Spec):
    """What the requests carry: classes such as `cardholder`, and whose data it is."""

    classes: list[Word] = Field(default_factory=list)
    subjects: list[Word] = Field(default_factory=list)


class OriginSpec(Spec):
    """A site that requests come from, and its share of them."""

    site: Name
    share: Share


class RemovalSpec(DataSpec):
    """What the stage's output does not carry on, once somebody vouches for it: one of `verifiers`, or any Issuer."""

    verifiers: list[Name] = Field(default_factory=list)


class StageSpec(Spec):
    """One model call. `fanout` calls are made for each request, after the stages in `after`.

    The input of a call may cross links in one of `encodings`: the soonest there, or the one that costs the least to
    send. With `reads: outputs` it is sent what those stages put out and nothing else of the request.
    """

    name: Name
    model: Name
    after: list[Name] = Field(default_factory=list)
    fanout: Positive = 1
    input: PayloadBytes = 0
    encodings: Annotated[list[EncodingSpec], AfterValidator(each_format_once)] = Field(default_factory=list)
    prefer: Literal["soonest", "cheapest"] = "soonest"
    reads: Literal["everything", "outputs"] = "everything"
    adds: DataSpec = DataSpec()
    removes: RemovalSpec | None = None


class DemandSpec(Spec):
    """The request rate to plan for while nothing has been measured."""

    rate: Rate


class LatencyFromAllSpec(Spec):
    """The percentile of the end-to-end latency that must not exceed `below`."""

    percentile: Percentile
    below: DurationUs
    window: DurationS = 300


class LatencySpec(LatencyFromAllSpec):
    """The percentile of the latency, end to end or of one stage, that must not exceed `below`.

    It is that of the whole response, or the time until the first one of a decoupled model.
    """

    origin: Name | None = None
    stage: Name | None = None
    of: Literal["response", "first-response"] = "response"


class ThroughputSpec(Spec):
    """What is always ready for the service, or for one origin of it: a rate, and requests that come all at once."""

    rate: Rate
    burst: Count = 0
    origin: Name | None = None


class AvailabilitySpec(Spec):
    """Every stage runs at no fewer sites, in no fewer racks and on no fewer nodes, with so many instances to spare.

    A service that survives any site meets its other objectives with whichever one is lost.
    """

    sites: Positive = 1
    racks: Count = 0
    nodes: Positive = 1
    spares: Count = 0
    survives: Literal["nothing", "any-site"] = "nothing"


class AccuracySpec(Spec):
    """The least accuracy of any variant that serves the service."""

    floor: Ratio


class CostSpec(Spec):
    """The most that the machines may cost which answer so many requests."""

    below: Money
    per: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000


class ObjectiveSpec(Choice):
    """One objective: exactly one of the five."""

    what: ClassVar[str] = "an objective"

    latency: LatencySpec | None = None
    availability: AvailabilitySpec | None = None
    accuracy: AccuracySpec | None = None
    throughput: ThroughputSpec | None = None
    cost: CostSpec | None = None


Objectives = TypeVar("Objectives", bound=Sequence[Choice])


def each_once(objectives: Objectives) -> Objectives:
    """The objectives. Raises ValueError when there are two of a kind of which there is one."""
    for kind in ("availability", "accuracy", "cost"):
        if sum(getattr(item, kind, None) is not None for item in objectives) > 1:
            raise ValueError(f"there is more than one `{kind}` objective: keep the stricter one")
    return objectives


class DegradeSpec(Choice):
    """One step of the degrade order: a lighter variant that may be used, or a share that may be refused."""

    what: ClassVar[str] = "a degrade step"

    use: Annotated[dict[Name, Name], _ONE_ENTRY] | None = None  # from model to variant
    shed: Share | None = None

    @model_validator(mode="after")
    def _one_variant(self) -> Self:
        if self.use is not None and len(self.use) != 1:
            raise ValueError("`use` names one model and one variant: write a step for each")
        return self


class ScaleToZeroSpec(Spec):
    """Nothing of the service has to stand once no request came for `after`; the first one is answered by `wake_up`."""

    after: Annotated[DurationS, Field(ge=1)]
    wake_up: DurationUs


class ServiceSpec(Spec):
    """What a team writes down about a service."""

    team: Name | None = None
    data: DataSpec = DataSpec()
    origins: list[OriginSpec] = Field(min_length=1)
    orchestration: Literal["origin"] = "origin"
    stages: list[StageSpec] = Field(min_length=1, max_length=MAX_STAGES)
    demand: DemandSpec
    objectives: Annotated[list[ObjectiveSpec], AfterValidator(each_once)] = Field(default_factory=list)
    placement: list[PlacementSpec] = Field(default_factory=list)
    degrade: list[DegradeSpec] = Field(default_factory=list)
    priority: Count = 0
    preemption: Literal["by-priority", "never"] = "by-priority"
    scale_to_zero: ScaleToZeroSpec | None = None
    compliance: ClausesSpec | None = None
