"""The latency of a stage on each option for a demand, network included: samples that paths are added up from.

What a server takes depends on no origin and the way there on no server, so each is worked out once for all demands, and
kept as tables from which the rows of options are picked.
"""

from collections.abc import Hashable, Sequence
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
from rules.kernel.problem import Demand, Option, Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_WAY = -1
"""The row of an option that a demand cannot reach."""


MEDIAN: Final = LEVELS // 2
TAIL: Final = LEVELS * 99 // 100 - 1
"""The place of the p99 among sorted samples."""


class Hops(NamedTuple):
    """[N] ways to the options of a stage's model: each with how its input is sent there.

    Options are numbered as `Problem.options_of` has them. `sent` is 0 for as it is, and counts the encodings of the
    stage from 1; `barred` are those in which it may not be sent, of which rules say why.
    """

    option: Ints
    sent: Ints
    barred: NDArray[np.bool_]

    def at(self, places: list[int] | Ints) -> "Hops":
        """Those at some places, in their order."""
        return Hops(self.option[places], self.sent[places], self.barred[places])


class Table(NamedTuple):
    """Samples in us, [rows, LEVELS], with the rows of options of a model, or of sites and encodings, in their order.

    The row of an option, in the problem's order; of a site and an encoding [sites, 1 + encodings], the first as it is.
    """

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
        self._device = {pool.name: pool.device for pool in problem.policy.pools}
        self._alike: dict[str, tuple[Sequence[Option], Ints]] = {}

    def of(self, at: int, demand: Demand, burst: Burst, hops: Hops, *, of_first: bool = False) -> Floats:
        """[hops, LEVELS]: samples in us of the stage at this place of a demand's service, on options of its model.

        Of its whole response, or until that begins. Raises ValueError where no Link leads to one.
        """
        stage = self.problem.service_of(demand).stages[at]
        server, way = self._server(at, stage, burst, of_first=of_first), self._way(at, stage, demand)
        found = server.samples[server.row[hops.option]]
        found += way.samples[self._ways_to(way, stage, demand, hops)]
        return found

    def about(self, at: int, demand: Demand, burst: Burst, hops: Hops, *, of_first: bool = False) -> Floats:
        """[hops]: about their 99th percentiles in us: those of the servers, and the medians of the ways there."""
        stage = self.problem.service_of(demand).stages[at]
        server, way = self._server(at, stage, burst, of_first=of_first), self._way(at, stage, demand)
        found = server.typical_us[server.row[hops.option]]
        found += way.typical_us[self._ways_to(way, stage, demand, hops)]
        return found

    def _ways_to(self, way: Table, stage: Stage, demand: Demand, hops: Hops) -> Ints:
        """[hops]: the rows of the ways to their sites."""
        ways: Ints = way.row[self.sites_of(stage.model)[hops.option], hops.sent]
        if (ways == NO_WAY).any():
            raise ValueError(f"{demand.id} cannot reach a site: bar what is `out_of_reach` before building paths")
        return ways

    def _server(self, at: int, stage: Stage, burst: Burst, *, of_first: bool) -> Table:
        key = (at, stage.fanout, stage.model, burst, of_first)
        if key not in self._served:
            self._served[key] = self._servers(at, stage, burst, of_first=of_first)
        return self._served[key]

    def _servers(self, at: int, stage: Stage, burst: Burst, *, of_first: bool) -> Table:
        samples = list[Floats]()
        firsts, row = self._alike_of(stage.model)
        for option in firsts:
            load = At(1, option.load_permille / 1000, burst)
            served_us = stage_quantiles_us(self.problem.policy, stage, option, self.speed, load, of_first=of_first)
            samples.append(sampled(at, served_us))
        return _table(samples, row, TAIL)

    def _alike_of(self, model: str) -> tuple[Sequence[Option], Ints]:
        """The first of the options of a model that take as long as each other, and the number of each option's."""
        if model not in self._alike:
            number: dict[Hashable, int] = {}
            firsts, row = list[Option](), list[int]()
            for option in self.problem.options_of(model):
                place = option.placement
                device, slowdown = self._device[place.pool], self.speed.slowdowns.get(place, 1.0)
                key = (place.variant, device, slowdown, option.max_batch, option.queue_delay_us, option.load_permille)
                if key not in number:
                    number[key] = len(firsts)
                    firsts.append(option)
                row.append(number[key])
            self._alike[model] = firsts, np.array(row, np.int64)
        return self._alike[model]

    def sites_of(self, model: str) -> Ints:
        """Of each option of a model, its site's number, in the order of the policy."""
        if model not in self._sites:
            sites = [self._site[self.problem.site_of(option)] for option in self.problem.options_of(model)]
            self._sites[model] = np.array(sites, np.int64)
        return self._sites[model]

    def _way(self, at: int, stage: Stage, demand: Demand) -> Table:
        key = (at, demand.origin, stage.payload_bytes, stage.fanout, stage.encodings)
        if key not in self._travelled:
            self._travelled[key] = self._ways(at, stage, demand)
        return self._travelled[key]

    def _ways(self, at: int, stage: Stage, demand: Demand) -> Table:
        policy = self.problem.policy
        formats = ("", *(each.format for each in stage.encodings))
        samples, row = list[Floats](), np.full((len(self._site), len(formats)), NO_WAY, np.int64)
        for site, place in self._site.items():
            for number, name in enumerate(formats if reachable(policy, demand.origin, site) else ()):
                row[place, number] = len(samples)
                samples.append(travelled(at, network_to_us(policy, demand, stage, site, name)))
        return _table(samples, row, MEDIAN)


def _table(rows: list[Floats], row: Ints, level: int) -> Table:
    """Samples with their levels at a place in their order."""
    samples = np.array(rows).reshape(-1, LEVELS)
    return Table(samples, row, np.partition(samples, level, axis=1)[:, level])
