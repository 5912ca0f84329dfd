"""The latency of a stage on each option for a demand, network included: samples that paths are added up from.

What a server takes depends on no origin and the way there on no server, so each is worked out once for all demands, and
kept as tables from which the rows of options are picked.
"""

from collections.abc import Hashable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from controller.performance.arrivals import Burst
from controller.performance.pipeline import sampled, travelled
from controller.performance.surface import LEVELS
from controller.planning.network import network_to_us, reachable
from controller.planning.options import Speeds
from controller.planning.stages import At, stage_quantiles_us
from policy.resolved import Stage
from rules.kernel.problem import Demand, Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_WAY = -1
"""The row of an option that a demand cannot reach."""


MEDIAN: Final = LEVELS // 2
TAIL: Final = LEVELS * 99 // 100 - 1
"""The place of the p99 among sorted samples."""


class Table(NamedTuple):
    """Samples in us, [rows, LEVELS], and the row of each option of a model, or of each site, in the problem's order."""

    samples: Floats
    row: Ints
    typical_us: Floats
    """[rows]: what to compare them by."""


class Legs:
    """The samples of a problem's stages at the speeds that are known now."""

    def __init__(self, problem: Problem, speed: Speeds) -> None:
        self.problem = problem
        self.speed = speed
        self._served: dict[Hashable, Table] = {}
        self._travelled: dict[Hashable, Table] = {}
        self._site = {site.name: at for at, site in enumerate(problem.policy.sites)}
        self._sites: dict[str, Ints] = {}

    def of(self, at: int, demand: Demand, burst: Burst, options: Ints, *, of_first: bool = False) -> Floats:
        """[options, LEVELS]: samples in us of the stage at this place of a demand's service, on options of its model.

        Of its whole response, or until that begins. Options are numbered as `Problem.options_of` has them. Raises
        ValueError where no Link leads to one.
        """
        stage = self.problem.service_of(demand).stages[at]
        server, way = self._server(at, stage, burst, of_first=of_first), self._way(at, stage, demand)
        found = server.samples[server.row[options]]
        found += way.samples[self._ways_to(way, stage, demand, options)]
        return found

    def about(self, at: int, demand: Demand, burst: Burst, options: Ints, *, of_first: bool = False) -> Floats:
        """[options]: about their 99th percentiles in us: those of the servers, and the medians of the ways there."""
        stage = self.problem.service_of(demand).stages[at]
        server, way = self._server(at, stage, burst, of_first=of_first), self._way(at, stage, demand)
        found = server.typical_us[server.row[options]]
        found += way.typical_us[self._ways_to(way, stage, demand, options)]
        return found

    def _ways_to(self, way: Table, stage: Stage, demand: Demand, options: Ints) -> Ints:
        """[options]: the rows of the ways to their sites."""
        ways: Ints = way.row[self._sites_of(stage.model)[options]]
        if (ways == NO_WAY).any():
            raise ValueError(f"{demand.id} cannot reach a site: bar what is `out_of_reach` before building paths")
        return ways

    def _server(self, at: int, stage: Stage, burst: Burst, *, of_first: bool) -> Table:
        key = (at, stage.fanout, stage.model, burst, of_first)
        if key not in self._served:
            self._served[key] = self._servers(at, stage, burst, of_first=of_first)
        return self._served[key]

    def _servers(self, at: int, stage: Stage, burst: Burst, *, of_first: bool) -> Table:
        policy = self.problem.policy
        number: dict[Hashable, int] = {}
        samples, row = list[Floats](), list[int]()
        for option in self.problem.options_of(stage.model):
            place = option.placement
            device, slowdown = policy.pool(place.pool).device, self.speed.slowdowns.get(place, 1.0)
            key = (place.variant, device, slowdown, option.max_batch, option.queue_delay_us, option.load_permille)
            if key not in number:
                number[key] = len(samples)
                load = At(1, option.load_permille / 1000, burst)
                served_us = stage_quantiles_us(policy, stage, option, self.speed, load, of_first=of_first)
                samples.append(sampled(at, served_us))
            row.append(number[key])
        return _table(samples, row, TAIL)

    def _sites_of(self, model: str) -> Ints:
        """Of each option of a model, its site's number."""
        if model not in self._sites:
            sites = [self._site[self.problem.site_of(option)] for option in self.problem.options_of(model)]
            self._sites[model] = np.array(sites, np.int64)
        return self._sites[model]

    def _way(self, at: int, stage: Stage, demand: Demand) -> Table:
        key = (at, demand.origin, stage.payload_bytes * stage.fanout)
        if key not in self._travelled:
            self._travelled[key] = self._ways(at, stage, demand)
        return self._travelled[key]

    def _ways(self, at: int, stage: Stage, demand: Demand) -> Table:
        policy = self.problem.policy
        samples, row = list[Floats](), list[int]()
        for site in self._site:
            there = reachable(policy, demand.origin, site)
            row.append(len(samples) if there else NO_WAY)
            samples += [travelled(at, network_to_us(policy, demand, stage, site))] if there else []
        return _table(samples, row, MEDIAN)


def _table(rows: list[Floats], row: list[int], level: int) -> Table:
    """Samples with their levels at a place in their order."""
    samples = np.array(rows).reshape(-1, LEVELS)
    return Table(samples, np.array(row, np.int64), np.partition(samples, level, axis=1)[:, level])
