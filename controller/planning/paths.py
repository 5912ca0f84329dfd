"""Paths: an option for each stage of a demand, with the predicted latency of the whole."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.performance.arrivals import STEADY, Burst
from controller.performance.pipeline import chains, leg, path_latencies_us
from controller.performance.surface import LEVELS
from controller.planning.network import network_us, reachable
from controller.planning.options import Speeds
from controller.planning.stages import At, stage_quantiles_us
from policy.resolved import Policy, Service
from rules.kernel.formulation import Exclusion
from rules.kernel.problem import WHOLE_PERMILLE, Demand, Option, Path, Problem

MOST_PATHS: Final = 4_000
"""Paths a demand at the most. Beyond, the options with the longest stage latency are left out first."""

TAIL: Final = LEVELS * 99 // 100 - 1

Latencies = tuple[tuple[int, int], ...]
"""(percentile in basis points, latency in us)"""

Use = tuple[str, str, str]
"""(demand, stage, option)"""


@dataclass(frozen=True, slots=True)
class Habits:
    """What was learnt of a demand: what its predictions are multiplied by, and how its rate swings."""

    margin_permille: int = WHOLE_PERMILLE
    burst: Burst = STEADY


def unreachable(policy: Policy, demands: tuple[Demand, ...], options: tuple[Option, ...]) -> tuple[Exclusion, ...]:
    """An exclusion for each option at a site that no link joins with a demand's origin."""
    return tuple(
        Exclusion("network", f"no Link joins {demand.origin} and {site}", None, option.id, demand.id, stage.name)
        for demand in demands
        for stage in policy.service(demand.service).stages
        for option in options
        if option.placement.model == stage.model
        and not reachable(policy, demand.origin, site := policy.pool(option.placement.pool).site)
    )


def paths(problem: Problem, demand: Demand, barred: frozenset[Use], speed: Speeds, seen: Habits) -> tuple[Path, ...]:
    """All paths of a demand over the options that are not barred for it, with the latency to count with."""
    policy, options = problem.policy, problem.options
    service = policy.service(demand.service)
    legs = {
        (i, option.id): leg(
            i,
            stage_quantiles_us(policy, stage, option, speed, At(1, option.load_permille / 1000, seen.burst)),
            network_us(policy, demand, stage, option),
        )
        for i, stage in enumerate(service.stages)
        for option in options
        if option.placement.model == stage.model and (demand.id, stage.name, option.id) not in barred
    }
    chosen = list(itertools.product(*_within_limit(service, legs)))
    latencies = path_latencies_us(
        chains(service.stages), ([legs[i, name] for i, name in enumerate(names)] for names in chosen)
    )
    return tuple(
        Path(f"{demand.id}: {' | '.join(names)}", demand.id, names, _with_margin(latency_us, seen.margin_permille))
        for names, latency_us in zip(chosen, latencies, strict=True)
    )


def _with_margin(latency_us: Latencies, margin_permille: int) -> Latencies:
    return tuple((bp, value_us * margin_permille // WHOLE_PERMILLE) for bp, value_us in latency_us)


def _within_limit(service: Service, legs: Mapping[tuple[int, str], NDArray[np.float64]]) -> list[list[str]]:
    def fastest_first(at: int) -> list[str]:
        here = ((float(np.partition(leg, TAIL)[TAIL]), option) for (i, option), leg in legs.items() if i == at)
        return [option for _, option in sorted(here)]

    choices = [fastest_first(at) for at in range(len(service.stages))]
    while math.prod(map(len, choices)) > MOST_PATHS:
        longest = max(range(len(choices)), key=lambda i: len(choices[i]))
        choices[longest].pop()
    return choices
