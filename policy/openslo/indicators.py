"""SLI and DataSource: what is measured, and where."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from policy.documents.base import Spec
from policy.openslo.parts import Description, DnsLabel, Metadata, Text


class DataSourceSpec(Spec):
    """A system that answers queries; how to reach it is between it and whoever asks."""

    description: Description = ""
    type: Text
    connection_details: dict[str, Any] | list[Any] = Field(min_length=1)


class MetricSource(Spec):
    """A query of some system. What it says is the system's own matter."""

    metric_source_ref: DnsLabel | None = None
    type: str = ""
    spec: dict[str, Any] = Field(min_length=1)


class MetricSpec(Spec):
    """A metric."""

    metric_source: MetricSource


class RatioMetric(Spec):
    """Good (or bad) events of all events, or a ratio that the source gives ready made."""

    counter: bool = False
    good: MetricSpec | None = None
    bad: MetricSpec | None = None
    total: MetricSpec | None = None
    raw_type: Literal["success", "failure"] | None = None
    raw: MetricSpec | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.total is None) == (self.raw is None):
            raise ValueError("expected either `total` or `raw`")
        if self.raw is not None and (self.good is not None or self.bad is not None):
            raise ValueError("beside `raw` there is neither `good` nor `bad`")
        if self.raw is not None and self.raw_type is None:
            raise ValueError("beside `raw` stands `rawType`: write `rawType: success` or `rawType: failure`")
        if self.total is not None and (self.good is None) == (self.bad is None):
            raise ValueError("beside `total` stands exactly one of `good` and `bad`")
        return self


class SliSpec(Spec):
    """What is measured: a value that is held against a threshold, or a ratio."""

    description: Description = ""
    threshold_metric: MetricSpec | None = None
    ratio_metric: RatioMetric | None = None

    @model_validator(mode="after")
    def _one_metric(self) -> Self:
        if (self.threshold_metric is None) == (self.ratio_metric is None):
            raise ValueError("expected either `thresholdMetric` or `ratioMetric`")
        return self


class InlineIndicator(Spec):
    """An SLI inside an SLO."""

    metadata: Metadata
    spec: SliSpec
