"""Paths: an option for each stage of a demand, with the predicted latency of the whole."""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from controller.performance.arrivals import Burst
from controller.planning.legs import TAIL, Hops, Legs
from controller.planning.offers import Offers
from controller.planning.pricing import Habits, Views, choices, is_last, priced
from policy.resolved import Service, UseVariant
from rules.kernel.egress import GIB, MILLI_RPS_IN_REQUESTS_AN_HOUR
from rules.kernel.problem import Demand, Path

MOST_PATHS: Final = 4_000
"""Paths a demand at the most. Beyond, the options with the longest stage latency are left out first."""

MOST_IN_ALL: Final = 40_000
"""Paths of all demands together, beyond which each has its part of them, and `FEWEST_PATHS` at least."""
FEWEST_PATHS: Final = 64
RELUCTANCE: Final = 4
"""Of variants that only a degraded service uses, one is looked at for so many others."""

Floats = NDArray[np.float64]
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


class Offered(NamedTuple):
    """The options of a stage that are not barred, with how its input is sent, and about the p99 of each in us, [N].

    `first_tails_us` is that until the response begins, `tails_us` where no objective asks for it.
    """

    use: tuple[str, str]
    offers: Offers
    hops: Hops
    tails_us: Floats
    first_tails_us: Floats


def paths(views: Views, demand: Demand, seen: Habits, looked: Looked) -> tuple[Path, ...]:
    """The paths of a demand over the options that are not barred for it, with the latency to count with."""
    problem = views.problem
    service = problem.service_of(demand)
    most = min(MOST_PATHS, max(FEWEST_PATHS, MOST_IN_ALL // max(1, len(problem.demands))))
    tails = _tails if most == MOST_PATHS else Legs.about
    found = [_offered(views, demand, at, seen, looked, tails=tails) for at in range(len(service.stages))]
    limited = zip(found, _within_limit(views, demand, found, looked, most), strict=True)
    stages = [choices(views, demand, at, seen, one.hops.at(places)) for at, (one, places) in enumerate(limited)]
    every = itertools.product(*(range(stage.hops.option.size) for stage in stages))
    return priced(demand, service, stages, np.array(list(every), np.int64), seen)


def _offered(
    views: Views, demand: Demand, at: int, seen: Habits, looked: Looked, *, tails: Callable[..., Floats]
) -> Offered:
    service = views.problem.service_of(demand)
    use, offers = (demand.id, service.stages[at].name), views.offers(service.stages[at].model)
    here = np.flatnonzero(~offers.among(looked.barred.get(use, NO_OPTIONS)))
    hops = views.hops(demand, service.stages[at], here)
    whole_us = tails(views.legs, at, demand, seen.burst, hops, of_first=False)
    asked = any(objective.of_first for objective in service.latency_from(demand.origin))
    first_us = tails(views.legs, at, demand, seen.burst, hops, of_first=True) if asked else whole_us
    return Offered(use, offers, hops, whole_us, first_us)


def _tails(legs: Legs, at: int, demand: Demand, burst: Burst, hops: Hops, *, of_first: bool) -> Floats:
    tails_us: Floats = np.partition(legs.of(at, demand, burst, hops, of_first=of_first), TAIL, axis=1)[:, TAIL]
    return tails_us


def _within_limit(views: Views, demand: Demand, stages: list[Offered], looked: Looked, most: int) -> list[list[int]]:
    """The options of each stage by place in `hops`: all, or the first of an order by which the others are left out."""
    if most == MOST_PATHS or math.prod(stage.hops.option.size for stage in stages) <= most:
        orders = [_fastest_first(stage) for stage in stages]
        fewest = [0] * len(stages)
    else:
        orders = [_likeliest_first(views, demand, stage, looked) for stage in stages]
        fewest = [int(np.count_nonzero(_runs(stage, looked))) for stage in stages]
    lengths = _shortened([len(order) for order in orders], fewest, most)
    return [order[:length] for order, length in zip(orders, lengths, strict=True)]


def _shortened(lengths: list[int], fewest: list[int], most: int) -> list[int]:
    """Lengths whose product is within `most`: the longest is shortened first, of equals the first, none below `fewest`.

    They stay above that where all of them are at their fewest.
    """

    def down_to(level: int) -> list[int]:
        return [min(length, max(level, few)) for length, few in zip(lengths, fewest, strict=True)]

    if math.prod(lengths) <= most:
        return lengths
    least, above = 0, max(lengths)
    if math.prod(down_to(least)) > most:
        return down_to(least)
    while above - least > 1:
        level = (least + above) // 2
        least, above = (level, above) if math.prod(down_to(level)) <= most else (least, level)
    found, lowest = down_to(above), down_to(least)
    for at in range(len(found)):
        if math.prod(found) <= most:
            break
        found[at] = lowest[at]
    return found


def _fastest_first(stage: Offered) -> list[int]:
    order: list[int] = np.lexsort((stage.offers.place[stage.hops.option], stage.tails_us, stage.hops.barred)).tolist()
    return order


def _likeliest_first(views: Views, demand: Demand, stage: Offered, looked: Looked) -> list[int]:
    """What runs, then by turns the cheapest for a call and the fastest; last what is too slow alone, or not allowed."""
    service = views.problem.service_of(demand)
    steps = {(s.model, s.variant) for s in service.degrade if isinstance(s, UseVariant)}
    offers, here = stage.offers, stage.hops.option
    tails_us, place = stage.tails_us, offers.place[here]
    prices = offers.price[here] + _egress(views, demand, stage)
    ranks = np.minimum(_rank(prices, place), _rank(tails_us, place))
    if steps:
        placements = [offers.options[at].placement for at in here.tolist()]
        reluctant = np.array([(item.model, item.variant) in steps for item in placements], np.bool_)
        ranks = np.where(reluctant, RELUCTANCE * (1 + ranks), ranks)
    runs = _runs(stage, looked)
    idle = offers.among(looked.idle.get(stage.use, NO_OPTIONS))[here] | stage.hops.barred
    order: list[int] = np.lexsort((place, prices, ranks, _too_slow(service, demand, stage), idle, ~runs)).tolist()
    return order


def _runs(stage: Offered, looked: Looked) -> NDArray[np.bool_]:
    """Which of them something takes now, as its input may be sent."""
    runs = stage.offers.among(looked.running.get(stage.use, NO_OPTIONS))[stage.hops.option]
    return runs & ~stage.hops.barred


def _too_slow(service: Service, demand: Demand, stage: Offered) -> NDArray[np.bool_]:
    """Of which options the stage alone misses an objective of it or of the whole, about."""
    found = np.zeros(stage.hops.option.size, np.bool_)
    for objective in service.latency_from(demand.origin):
        if objective.stage in {"", stage.use[1]}:
            begins = objective.of_first and (objective.stage or is_last(service, stage.use[1]))
            found |= (stage.first_tails_us if begins else stage.tails_us) > objective.below_us
    return found


def _egress(views: Views, demand: Demand, stage: Offered) -> NDArray[np.float64]:
    """What the way to each option costs in millicents an hour, for a call in a thousand seconds."""
    called = next(each for each in views.problem.service_of(demand).stages if each.name == stage.use[1])
    prices = views.egress_from(demand.origin)[views.legs.sites_of(called.model)[stage.hops.option]]
    sizes = np.array([called.payload_bytes, *(each.payload_bytes for each in called.encodings)], np.float64)
    return prices * sizes[stage.hops.sent] * float(MILLI_RPS_IN_REQUESTS_AN_HOUR) / GIB


def _rank(key: NDArray[np.float64], place: Ints) -> Ints:
    """The place of each in the order of a key."""
    rank = np.empty(key.size, np.int64)
    rank[np.lexsort((place, key))] = np.arange(key.size)
    return rank
