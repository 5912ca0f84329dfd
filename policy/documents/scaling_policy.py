"""ScalingPolicy: how fast the fleet may change, and how far readings are trusted."""

from typing import Annotated, Literal

from pydantic import Field

from policy.documents.base import Count, DurationS, Headroom, Name, Share, Spec
from policy.documents.maintenance import WindowSpec


class ScaleDownSpec(Spec):
    """Nothing is taken away within `cooldown` of its start, and at most `step_share` of it at once.

    What stands is enough for the most that was asked for over the last `stabilisation`.
    """

    cooldown: DurationS = 60
    step_share: Annotated[Share, Field(ge=1)] = 500
    stabilisation: DurationS = 0


class BoundSpec(Spec):
    """How many instances of a model there are, over all sites or at one."""

    model: Name
    site: Name | None = None
    min: Count = 0
    max: Count = 1_000


class ScalingPolicySpec(Spec):
    """The pace of the loop, and its caution."""

    interval: Annotated[DurationS, Field(ge=1)] = 5
    headroom: Headroom = 200
    scale_down: ScaleDownSpec = ScaleDownSpec()
    stale_after: Annotated[DurationS, Field(ge=1)] = 15
    on_missing: Literal["hold", "expected"] = "hold"
    horizon: Annotated[DurationS, Field(ge=1)] = 120
    evidence_lead: DurationS = 60
    bounds: list[BoundSpec] = Field(default_factory=list)
    freezes: list[WindowSpec] = Field(default_factory=list)
