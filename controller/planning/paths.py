"""Paths: an option for each stage of a demand, with the predicted latency of the whole."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from controller.performance.arrivals import STEADY, Burst
from controller.performance.pipeline import chains, path_latencies_us
from controller.planning.legs import TAIL, Legs
from controller.planning.offers import Offers, offers_of
from controller.planning.options import Speeds
from policy.resolved import Service, UseVariant
from rules.kernel.problem import WHOLE_PERMILLE, Demand, Path, Problem

MOST_PATHS: Final = 4_000
"""Paths a demand at the most. Beyond, the options with the longest stage latency are left out first."""

MOST_IN_ALL: Final = 40_000
"""Paths of all demands together, beyond which each has its part of them, and `FEWEST_PATHS` at least."""
FEWEST_PATHS: Final = 64
RELUCTANCE: Final = 4
"""Of variants that only a degraded service uses, one is looked at for so many others."""

Latencies = tuple[tuple[int, int], ...]
"""(percentile in basis points, latency in us)"""

Ints = NDArray[np.int64]

Use = tuple[str, str, str]
"""(demand, stage, option)"""

Uses = Mapping[tuple[str, str], frozenset[str]]
"""By (demand, stage), options."""
NO_OPTIONS: Final = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Habits:
    """What was learnt of a demand: what its predictions are multiplied by, and how its rate swings."""

    margin_permille: int = WHOLE_PERMILLE
    burst: Burst = STEADY


@dataclass(frozen=True, slots=True)
class Looked:
    """What is not looked at, and what first and last where there are too many paths to look at all.

    `barred` are the uses that no path may take; `running` those that something takes now, so that their paths must be
    there; `idle` those that some rule forbids.
    """

    barred: Uses
    running: Uses
    idle: Uses


class Views:
    """What paths of all demands are made from: a problem's options by model, and their legs."""

    def __init__(self, problem: Problem, speed: Speeds) -> None:
        self.problem = problem
        self.legs = Legs(problem, speed)
        self._offers: dict[str, Offers] = {}

    def offers(self, model: str) -> Offers:
        """The options of a model."""
        if model not in self._offers:
            self._offers[model] = offers_of(self.problem, model)
        return self._offers[model]


class Choices(NamedTuple):
    """The options of a stage that may be taken, by number among its model's, and the samples of each, [N, LEVELS]."""

    use: tuple[str, str]
    offers: Offers
    here: Ints
    samples: NDArray[np.float64]


class Offered(NamedTuple):
    """The options of a stage that are not barred, by number among its model's, and about the p99 of each in us, [N]."""

    use: tuple[str, str]
    offers: Offers
    here: Ints
    tails_us: NDArray[np.float64]


def paths(views: Views, demand: Demand, seen: Habits, looked: Looked) -> tuple[Path, ...]:
    """The paths of a demand over the options that are not barred for it, with the latency to count with."""
    problem, legs = views.problem, views.legs
    service = problem.service_of(demand)
    most = min(MOST_PATHS, max(FEWEST_PATHS, MOST_IN_ALL // max(1, len(problem.demands))))
    found = []
    for at, stage in enumerate(service.stages):
        use, offers = (demand.id, stage.name), views.offers(stage.model)
        here = np.flatnonzero(~offers.among(looked.barred.get(use, NO_OPTIONS)))
        if most == MOST_PATHS:
            tails_us = np.partition(legs.of(at, demand, seen.burst, here), TAIL, axis=1)[:, TAIL]
        else:
            tails_us = legs.about(at, demand, seen.burst, here)
        found.append(Offered(use, offers, here, tails_us))
    stages = []
    for at, (one, places) in enumerate(zip(found, _within_limit(problem, demand, found, looked, most), strict=True)):
        here = one.here[places]
        stages.append(Choices(one.use, one.offers, here, legs.of(at, demand, seen.burst, here)))
    every = itertools.product(*(range(stage.here.size) for stage in stages))
    return priced(demand, service, stages, np.array(list(every), np.int64), seen)


def priced(demand: Demand, service: Service, stages: list[Choices], chosen: Ints, seen: Habits) -> tuple[Path, ...]:
    """The paths that take these options, one row for each path."""
    if not chosen.size:
        return ()
    latencies = path_latencies_us(chains(service.stages), [stage.samples for stage in stages], chosen)
    alone = _of_stages(demand, service, stages, seen.margin_permille)
    names = [[stage.offers.options[at].id for at in stage.here.tolist()] for stage in stages]
    found = []
    for row, latency_us in zip(chosen.tolist(), latencies, strict=True):
        options = tuple(here[at] for here, at in zip(names, row, strict=True))
        name = f"{demand.id}: {' | '.join(options)}"
        of_stages = tuple((stage, known[row[at]]) for stage, at, known in alone)
        found.append(Path(name, demand.id, options, _with_margin(latency_us, seen.margin_permille), of_stages))
    return tuple(found)


def _of_stages(
    demand: Demand, service: Service, stages: list[Choices], margin_permille: int
) -> list[tuple[str, int, list[Latencies]]]:
    """Each stage of which an objective speaks, its place, and its latency on each of its options."""
    asked = {objective.stage for objective in service.latency_from(demand.origin)}
    found = []
    for at, stage in enumerate(service.stages):
        if stage.name in asked:
            samples = stages[at].samples
            alone = path_latencies_us(((0,),), [samples], np.arange(len(samples)).reshape(-1, 1))
            found.append((stage.name, at, [_with_margin(latency_us, margin_permille) for latency_us in alone]))
    return found


def _with_margin(latency_us: Latencies, margin_permille: int) -> Latencies:
    if margin_permille == WHOLE_PERMILLE:
        return latency_us
    return tuple((bp, value_us * margin_permille // WHOLE_PERMILLE) for bp, value_us in latency_us)


def _within_limit(
    problem: Problem, demand: Demand, stages: list[Offered], looked: Looked, most: int
) -> list[list[int]]:
    """The options of each stage by place in `here`: all, or the first of an order by which the others are left out."""
    if most == MOST_PATHS or math.prod(stage.here.size for stage in stages) <= most:
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


def _fastest_first(stage: Offered) -> list[int]:
    order: list[int] = np.lexsort((stage.offers.place[stage.here], stage.tails_us)).tolist()
    return order


def _likeliest_first(problem: Problem, demand: Demand, stage: Offered, looked: Looked) -> list[int]:
    """What runs, then by turns the cheapest for a call and the fastest; last what is too slow alone, or not allowed."""
    service = problem.service_of(demand)
    objectives = (item for item in service.latency_from(demand.origin) if item.stage in ("", stage.use[1]))
    below_us = min((item.below_us for item in objectives), default=math.inf)
    steps = {(s.model, s.variant) for s in service.degrade if isinstance(s, UseVariant)}
    offers, here = stage.offers, stage.here
    tails_us, prices, place = stage.tails_us, offers.price[here], offers.place[here]
    ranks = np.minimum(_rank(prices, place), _rank(tails_us, place))
    if steps:
        placements = [offers.options[at].placement for at in here.tolist()]
        reluctant = np.array([(item.model, item.variant) in steps for item in placements], np.bool_)
        ranks = np.where(reluctant, RELUCTANCE * (1 + ranks), ranks)
    runs = offers.among(looked.running.get(stage.use, NO_OPTIONS))[here]
    idle = offers.among(looked.idle.get(stage.use, NO_OPTIONS))[here]
    order: list[int] = np.lexsort((place, prices, ranks, tails_us > below_us, idle, ~runs)).tolist()
    return order


def _rank(key: NDArray[np.float64], place: Ints) -> Ints:
    """The place of each in the order of a key."""
    rank = np.empty(key.size, np.int64)
    rank[np.lexsort((place, key))] = np.arange(key.size)
    return rank
