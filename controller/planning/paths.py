"""Paths: an option for each stage of a demand, with the predicted latency of the whole."""

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from controller.performance.arrivals import STEADY, Burst
from controller.performance.pipeline import chains, path_latencies_us
from controller.performance.surface import LEVELS
from controller.planning.legs import Legs
from controller.planning.network import reachable
from policy.resolved import Policy, Service, UseVariant
from rules.kernel.formulation import Exclusion
from rules.kernel.problem import WHOLE_PERMILLE, Demand, Option, Path, Problem

MOST_PATHS: Final = 4_000
"""Paths a demand at the most. Beyond, the options with the longest stage latency are left out first."""

MOST_IN_ALL: Final = 40_000
"""Paths of all demands together, beyond which each has its part of them, and `FEWEST_PATHS` at least."""
FEWEST_PATHS: Final = 64
RELUCTANCE: Final = 4
"""Of variants that only a degraded service uses, one is looked at for so many others."""

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
    by_model: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for option in options:
        by_model[option.placement.model].append((option.id, policy.pool(option.placement.pool).site))
    found = []
    for demand in demands:
        away = {
            site.name: f"no Link joins {demand.origin} and {site.name}"
            for site in policy.sites
            if not reachable(policy, demand.origin, site.name)
        }
        for stage in policy.service(demand.service).stages if away else ():
            found += [
                Exclusion("network", away[site], None, option, demand.id, stage.name)
                for option, site in by_model[stage.model]
                if site in away
            ]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Looked:
    """What is not looked at, and what first and last where there are too many paths to look at all.

    `barred` are the uses that no path may take; `running` those that something takes now, so that their paths must be
    there; `idle` those that some rule forbids.
    """

    barred: frozenset[Use]
    running: frozenset[Use]
    idle: frozenset[Use]


def paths(problem: Problem, demand: Demand, legs: Legs, seen: Habits, looked: Looked) -> tuple[Path, ...]:
    """The paths of a demand over the options that are not barred for it, with the latency to count with."""
    service = problem.policy.service(demand.service)
    stages = []
    for at, stage in enumerate(service.stages):
        here = [
            option
            for option in problem.options_of(stage.model)
            if (demand.id, stage.name, option.id) not in looked.barred
        ]
        stages.append(Choices(stage.name, here, legs.of(at, demand, here, seen.burst)))
    chosen = _within_limit(problem, demand, stages, looked)
    return priced(demand, service, stages, np.array(list(itertools.product(*chosen)), np.int64), seen)


class Choices(NamedTuple):
    """The options of a stage, and the samples of each, [options, LEVELS]."""

    stage: str
    options: list[Option]
    samples: NDArray[np.float64]


def priced(
    demand: Demand, service: Service, stages: list[Choices], chosen: NDArray[np.int64], seen: Habits
) -> tuple[Path, ...]:
    """The paths that take these options, one row for each path."""
    if not chosen.size:
        return ()
    latencies = path_latencies_us(chains(service.stages), [stage.samples for stage in stages], chosen)
    names = [[option.id for option in stage.options] for stage in stages]
    found = []
    for row, latency_us in zip(chosen.tolist(), latencies, strict=True):
        options = tuple(here[at] for here, at in zip(names, row, strict=True))
        name = f"{demand.id}: {' | '.join(options)}"
        found.append(Path(name, demand.id, options, _with_margin(latency_us, seen.margin_permille)))
    return tuple(found)


def _with_margin(latency_us: Latencies, margin_permille: int) -> Latencies:
    if margin_permille == WHOLE_PERMILLE:
        return latency_us
    return tuple((bp, value_us * margin_permille // WHOLE_PERMILLE) for bp, value_us in latency_us)


def _within_limit(problem: Problem, demand: Demand, stages: list[Choices], looked: Looked) -> list[list[int]]:
    """The options of each stage by number: all of them, or the first of an order by which the others are left out."""
    most = min(MOST_PATHS, max(FEWEST_PATHS, MOST_IN_ALL // max(1, len(problem.demands))))
    many = math.prod(len(stage.options) for stage in stages) > most
    if most == MOST_PATHS or not many:
        choices = [_fastest_first(stage) for stage in stages]
        fewest = [0] * len(stages)
    else:
        choices = [_likeliest_first(problem, demand, stage, looked) for stage in stages]
        fewest = [sum((demand.id, stage.stage, o.id) in looked.running for o in stage.options) for stage in stages]
    while math.prod(map(len, choices)) > most:
        longest = max(range(len(choices)), key=lambda i: (len(choices[i]) > fewest[i], len(choices[i])))
        if len(choices[longest]) <= fewest[longest]:
            break
        choices[longest].pop()
    return choices


def _tails_us(stage: Choices) -> list[float]:
    return [float(np.partition(samples, TAIL)[TAIL]) for samples in stage.samples]


def _fastest_first(stage: Choices) -> list[int]:
    order = zip(_tails_us(stage), (option.id for option in stage.options), range(len(stage.options)), strict=True)
    return [at for _, _, at in sorted(order)]


def _likeliest_first(problem: Problem, demand: Demand, stage: Choices, looked: Looked) -> list[int]:
    """What runs, then by turns the cheapest for a call and the fastest; last what is too slow alone, or not allowed."""
    below_us = min((item.below_us for item in problem.service_of(demand).latency), default=math.inf)
    steps = {(s.model, s.variant) for s in problem.service_of(demand).degrade if isinstance(s, UseVariant)}
    tails_us = _tails_us(stage)
    prices = [_price_of_call(problem, option) for option in stage.options]
    ranks = [0] * len(stage.options)
    for keys in (prices, tails_us):
        for rank, (_, _, at) in enumerate(sorted((key, stage.options[at].id, at) for at, key in enumerate(keys))):
            ranks[at] = min(ranks[at], rank) if keys is tails_us else rank

    def key(at: int) -> tuple[bool, bool, bool, int, float, str]:
        option = stage.options[at]
        use = demand.id, stage.stage, option.id
        rank = (
            RELUCTANCE * (1 + ranks[at]) if (option.placement.model, option.placement.variant) in steps else ranks[at]
        )
        return use not in looked.running, use in looked.idle, tails_us[at] > below_us, rank, prices[at], option.id

    return sorted(range(len(stage.options)), key=key)


def _price_of_call(problem: Problem, option: Option) -> float:
    """What an instance's share of its node costs, over what the instance answers."""
    pool = problem.pool_of(option)
    return pool.price_millicents_per_hour * option.share_permille / pool.share_permille / option.capacity_milli_rps
