"""SLO and Service: what is promised, over which window, and by which measure."""

from datetime import datetime
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from policy.documents.base import Spec
from policy.openslo.alerts import SloAlertPolicy
from policy.openslo.indicators import InlineIndicator
from policy.openslo.parts import Description, DnsLabel, Duration, Number, Operator, Text
from policy.words import shown

TIMESLICES: Final = "Timeslices"
RATIO_TIMESLICES: Final = "RatioTimeslices"


def _start(text: str) -> str:
    try:
        datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 -- its zone stands in a field of its own
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not date and time: expected the form 2022-01-31 12:00:00") from error
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, OSError, ValueError) as error:  # a zone that is not found is a KeyError
        raise ValueError(f"there is no time zone {shown(text)}: expected one such as Europe/Paris") from error
    return text


class ServiceSpec(Spec):
    """A service that objectives are about."""

    description: Description = ""


class Calendar(Spec):
    """Where windows begin that follow each other."""

    start_time: Annotated[str, AfterValidator(_start)]
    time_zone: Annotated[str, AfterValidator(_zone)]


class TimeWindow(Spec):
    """The time that a budget is for: rolling, or by the calendar."""

    duration: Duration
    is_rolling: bool = False
    calendar: Calendar | None = None

    @model_validator(mode="after")
    def _calendar_unless_rolling(self) -> Self:
        if self.is_rolling and self.calendar is not None:
            raise ValueError("a window that is rolling has no `calendar`")
        if not self.is_rolling and self.calendar is None:
            raise ValueError("a window without `isRolling: true` has a `calendar`")
        return self


class Objective(Spec):
    """A share of events, or of time, that has to be good."""

    display_name: str = ""
    op: Operator | None = None
    value: Number | None = None
    target: Annotated[Number, Field(ge=0, lt=1)] | None = None
    target_percent: Annotated[Number, Field(ge=0, lt=100)] | None = None
    time_slice_target: Annotated[Number, Field(gt=0, le=1)] | None = None
    time_slice_window: Duration | None = None
    indicator: InlineIndicator | None = None
    indicator_ref: DnsLabel | None = None
    composite_weight: Annotated[Number, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.target is None) == (self.target_percent is None):
            raise ValueError("expected either `target` or `targetPercent`")
        return self

    @property
    def is_composite(self) -> bool:
        """Whether the objective brings an indicator of its own."""
        return self.indicator is not None or self.indicator_ref is not None


class SloSpec(Spec):
    """What is promised of a service."""

    description: Description = ""
    service: Text
    indicator: InlineIndicator | None = None
    indicator_ref: DnsLabel | None = None
    budgeting_method: Literal["Occurrences", "Timeslices", "RatioTimeslices"]
    time_window: list[TimeWindow] = Field(min_length=1, max_length=1)
    objectives: list[Objective] = Field(min_length=1)
    alert_policies: list[SloAlertPolicy] = Field(default_factory=list)

    @model_validator(mode="after")
    def _indicators_in_one_place(self) -> Self:
        if self.indicator is not None and self.indicator_ref is not None:
            raise ValueError("expected either `indicator` or `indicatorRef`")
        if any(each.indicator is not None and each.indicator_ref is not None for each in self.objectives):
            raise ValueError("an objective has either `indicator` or `indicatorRef`")
        composite = any(each.is_composite for each in self.objectives)
        if composite == (self.indicator is not None or self.indicator_ref is not None):
            raise ValueError("`indicator` or `indicatorRef` stands either in `spec` or in the objectives")
        return self

    @model_validator(mode="after")
    def _complete_objectives(self) -> Self:
        needed = {TIMESLICES: ("time_slice_target", "time_slice_window"), RATIO_TIMESLICES: ("time_slice_window",)}
        for objective in self.objectives:
            for name in needed.get(self.budgeting_method, ()):
                if getattr(objective, name) is None:
                    alias = Objective.model_fields[name].alias
                    raise ValueError(f"with `budgetingMethod: {self.budgeting_method}` an objective has `{alias}`")
            indicator = objective.indicator or self.indicator
            by_threshold = indicator is not None and indicator.spec.threshold_metric is not None
            if by_threshold and (objective.op is None or objective.value is None):
                raise ValueError("by a `thresholdMetric` an objective has `op` and `value`")
        return self
