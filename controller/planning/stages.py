"""The latency of one stage on one option: looked up by load and instances, at the speed that is known now."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.performance.arrivals import STEADY, Burst
from controller.performance.service_time import first_part
from controller.performance.surface import quantiles, shape_of, to_first
from controller.planning.options import Speeds
from policy.resolved import Policy, Stage
from rules.kernel.problem import Option

HOP_US: Final = 4_000
"""Gateway and server front end, there and back, of one call: about what they add to an idle server here, in us."""


@dataclass(frozen=True, slots=True)
class At:
    """So many instances, the part of what they could answer that is asked of them, and how that swings."""

    instances: int
    utilisation: float
    burst: Burst = STEADY


def stage_quantiles_us(
    policy: Policy, stage: Stage, option: Option, speed: Speeds, at: At, *, of_first: bool = False
) -> NDArray[np.float64]:
    """Quantiles in us of the slowest of the stage's calls: of its whole response, or until that begins."""
    place = option.placement
    device = policy.pool(place.pool).device
    batch_us = tuple(speed.batch_us(place, device, b + 1) for b in range(option.max_batch))
    shape = shape_of(batch_us, at.instances, stage.fanout, option.queue_delay_us, at.burst)
    if of_first:
        profile = speed.profiles[place.model, place.variant, device]
        shape = to_first(shape, tuple(first_part(profile, b + 1) for b in range(option.max_batch)))
    return HOP_US + batch_us[-1] * quantiles(shape, at.utilisation)
