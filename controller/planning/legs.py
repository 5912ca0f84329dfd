"""The latency of a stage on each option for a demand, network included: samples that paths are added up from.

What a server takes depends on no origin and the way there on no server, so each is worked out once for all demands.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from controller.performance.arrivals import Burst
from controller.performance.pipeline import sampled, travelled
from controller.performance.surface import LEVELS
from controller.planning.network import network_us
from controller.planning.options import Speeds
from controller.planning.stages import At, stage_quantiles_us
from policy.resolved import Policy, Stage
from rules.kernel.problem import Demand, Option

Floats = NDArray[np.float64]


class Legs:
    """The samples of a policy's stages at the speeds that are known now."""

    def __init__(self, policy: Policy, speed: Speeds) -> None:
        self.policy = policy
        self.speed = speed
        self._served: dict[Hashable, Floats] = {}
        self._travelled: dict[Hashable, Floats] = {}

    def of(self, at: int, demand: Demand, options: Sequence[Option], burst: Burst) -> Floats:
        """[options, LEVELS]: samples in us of the stage at this place of a demand's service, on each of its options."""
        stage = self.policy.service(demand.service).stages[at]
        found = np.empty((len(options), LEVELS))
        for row, option in enumerate(options):
            np.add(self._server(at, stage, option, burst), self._way(at, stage, demand, option), out=found[row])
        return found

    def _server(self, at: int, stage: Stage, option: Option, burst: Burst) -> Floats:
        place = option.placement
        slowdown = self.speed.slowdowns.get(place, 1.0)
        setting = (option.max_batch, option.queue_delay_us, option.load_permille)
        device = self.policy.pool(place.pool).device
        key = (at, stage.fanout, place.model, place.variant, device, slowdown, setting, burst)
        if key not in self._served:
            load = At(1, option.load_permille / 1000, burst)
            self._served[key] = sampled(at, stage_quantiles_us(self.policy, stage, option, self.speed, load))
        return self._served[key]

    def _way(self, at: int, stage: Stage, demand: Demand, option: Option) -> Floats:
        site = self.policy.pool(option.placement.pool).site
        key = (at, demand.origin, site, stage.payload_bytes * stage.fanout)
        if key not in self._travelled:
            self._travelled[key] = travelled(at, network_us(self.policy, demand, stage, option))
        return self._travelled[key]
