"""Paths: an option for each stage of a demand, with the predicted latency of the whole."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.performance.surface import LEVELS
from controller.planning.pricing import Choices, Habits, Views, choices, is_last, priced
from policy.resolved import Service, UseVariant
from rules.kernel.egress import GIB, MILLI_RPS_IN_REQUESTS_AN_HOUR
from rules.kernel.problem import Demand, Path, Problem

MOST_PATHS: Final = 4_000
"""Paths a demand at the most. Beyond, the options with the longest stage latency are left out first."""

MOST_IN_ALL: Final = 40_000
"""Paths of all demands together, beyond which each has its part of them, and `FEWEST_PATHS` at least."""
FEWEST_PATHS: Final = 64
RELUCTANCE: Final = 4
"""Of variants that only a degraded service uses, one is looked at for so many others."""

TAIL: Final = LEVELS * 99 // 100 - 1

Ints = NDArray[np.int64]

Use = tuple[str, str, str]
"""(demand, stage, option)"""

Uses = Mapping[tuple[str, str], frozenset[str]]
"""By (demand, stage), options."""
NO_OPTIONS: Final = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Looked:
    """What is not looked at, and what first and last where there are too many paths to look at all.

    `barred` are the uses that no path may take; `running` those that something takes now, so that their paths must be
    there; `idle` those that some rule forbids.
    """

    barred: Uses
    running: Uses
    idle: Uses


def paths(views: Views, demand: Demand, seen: Habits, looked: Looked) -> tuple[Path, ...]:
    """The paths of a demand over the options that are not barred for it, with the latency to count with."""
    service = views.problem.service_of(demand)
    stages = []
    for at, stage in enumerate(service.stages):
        barred = looked.barred.get((demand.id, stage.name), NO_OPTIONS)
        here = np.flatnonzero(~views.offers(stage.model).among(barred))
        stages.append(choices(views, demand, at, seen, here))
    chosen = _within_limit(views.problem, demand, stages, looked)
    return priced(demand, service, stages, np.array(list(itertools.product(*chosen)), np.int64), seen)


def _within_limit(problem: Problem, demand: Demand, stages: list[Choices], looked: Looked) -> list[list[int]]:
    """The options of each stage by place in `here`: all, or the first of an order by which the others are left out."""
    most = min(MOST_PATHS, max(FEWEST_PATHS, MOST_IN_ALL // max(1, len(problem.demands))))
    many = math.prod(stage.here.size for stage in stages) > most
    if most == MOST_PATHS or not many:
        choices = [_fastest_first(stage) for stage in stages]
        fewest = [0] * len(stages)
    else:
        choices = [_likeliest_first(problem, demand, stage, looked) for stage in stages]
        fewest = [len(looked.running.get(stage.use, NO_OPTIONS)) for stage in stages]
    while math.prod(map(len, choices)) > most:
        longest = max(range(len(choices)), key=lambda i: (len(choices[i]) > fewest[i], len(choices[i])))
        if len(choices[longest]) <= fewest[longest]:
            break
        choices[longest].pop()
    return choices


def _tails_us(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    tails_us: NDArray[np.float64] = np.partition(samples, TAIL, axis=1)[:, TAIL]
    return tails_us


def _fastest_first(stage: Choices) -> list[int]:
    order: list[int] = np.lexsort((stage.offers.place[stage.here], _tails_us(stage.samples))).tolist()
    return order


def _likeliest_first(problem: Problem, demand: Demand, stage: Choices, looked: Looked) -> list[int]:
    """What runs, then by turns the cheapest for a call and the fastest; last what is too slow alone, or not allowed."""
    service = problem.service_of(demand)
    steps = {(s.model, s.variant) for s in service.degrade if isinstance(s, UseVariant)}
    offers, here = stage.offers, stage.here
    tails_us, place = _tails_us(stage.samples), offers.place[here]
    prices = offers.price[here] + _egress(problem, demand, stage)
    ranks = np.minimum(_rank(prices, place), _rank(tails_us, place))
    if steps:
        placements = [offers.options[at].placement for at in here.tolist()]
        reluctant = np.array([(item.model, item.variant) in steps for item in placements], np.bool_)
        ranks = np.where(reluctant, RELUCTANCE * (1 + ranks), ranks)
    runs = offers.among(looked.running.get(stage.use, NO_OPTIONS))[here]
    idle = offers.among(looked.idle.get(stage.use, NO_OPTIONS))[here]
    order: list[int] = np.lexsort((place, prices, ranks, _too_slow(service, demand, stage), idle, ~runs)).tolist()
    return order


def _too_slow(service: Service, demand: Demand, stage: Choices) -> NDArray[np.bool_]:
    """Of which options the stage alone misses an objective of it or of the whole, about."""
    found = np.zeros(stage.here.size, np.bool_)
    for objective in service.latency_from(demand.origin):
        if objective.stage in {"", stage.use[1]}:
            begins = objective.of_first and (objective.stage or is_last(service, stage.use[1]))
            found |= _tails_us(stage.first if begins else stage.samples) > objective.below_us
    return found


def _egress(problem: Problem, demand: Demand, stage: Choices) -> NDArray[np.float64]:
    """What the way to each option costs in millicents an hour, for a call in a thousand seconds."""
    called = next(each for each in problem.service_of(demand).stages if each.name == stage.use[1])
    links = ((demand.origin, problem.site_of(stage.offers.options[at])) for at in stage.here.tolist())
    found = (problem.link(one, other) if one != other else None for one, other in links)
    prices = [link.egress_from(demand.origin) if link else 0 for link in found]
    return np.array(prices, np.float64) * called.payload_bytes * float(MILLI_RPS_IN_REQUESTS_AN_HOUR) / GIB


def _rank(key: NDArray[np.float64], place: Ints) -> Ints:
    """The place of each in the order of a key."""
    rank = np.empty(key.size, np.int64)
    rank[np.lexsort((place, key))] = np.arange(key.size)
    return rank
