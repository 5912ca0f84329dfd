"""Packing a fleet of nodes with devices: construct, then ruin and recreate for as long as there is time.

The search is led by the shadow prices of the relaxation (`device_bound`). Where nodes have a price, instances left out
are at first charged little more than their shadow price, so that emptying a node costs nothing by itself, and ever more
as the search goes on: the last plans hold everything again. Steps come in runs between which the clock is looked at, so
that what a number of steps finds depends on the seed alone.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np

from controller.planning.fleet.device_bound import DevicePrices
from controller.planning.fleet.device_guide import FLOOR, MOST_GAIN, Guide, guided
from controller.planning.fleet.device_refill import Words, refill
from controller.planning.fleet.device_search import close, ruin_and_recreate
from controller.planning.fleet.device_state import DeviceState, copied, emptied, plan_of, standing
from controller.planning.fleet.devices import (
    DevicePlan,
    DeviceProblem,
    Floats,
    Ints,
    cost,
)

RUN: Final = 5_000
"""Steps between looks at the clock, at most; a short search has as many runs as ``RUNS``."""
RUNS: Final = 50
HOT: Final = 0.02
COLD: Final = 0.0005
"""Temperatures at the beginning and at the end, of the mean weight of an instance, or of its shadow price."""
ROOM: Final = 20.0
"""What a whole free device is worth, of the temperature: it draws what is free together on few nodes."""
CHARGE: Final = 1.04
"""For leaving an instance out at first, of its shadow price, where nodes have one too."""
RISE: Final = 0.1
STUCK: Final = 1.2
"""How many times more a class is charged when some of it had no room left."""
ENDING: Final = 0.9
"""From here on room is worth nothing and leaving out costs what it does: the search goes on from the best plan."""
FIT: Final = 0.1
"""What a close fit counts where all that waits is placed."""
LEAST_GAIN: Final = 1e-9


class Improvement(NamedTuple):
    """A plan that costs less than all before."""

    plan: DevicePlan
    cost: float
    steps: int


def packings(
    problem: DeviceProblem,
    prices: DevicePrices,
    steps: int,
    seed: int,
    spent: Callable[[], float] = lambda: 0.0,
) -> Iterator[Improvement]:
    """Ever better plans, the constructed one first; it ends after so many steps, or when all the time is spent.

    `spent` tells which part of the time is spent; the search cools as far as the steps or the time have got.
    """
    guide, random = guided(problem, prices), _random(seed)
    state = emptied(problem)
    place(problem, guide, state)
    best = Improvement(plan_of(state), cost(problem, plan_of(state)), 0)
    yield best
    nodes, done, ending = bool(problem.kind_price.any()), 0, False
    most = min(RUN, max(1, steps // RUNS))
    charges = _charges(problem, prices)
    scale = float(problem.class_count @ (prices.instance if nodes else problem.class_weight))
    scale /= max(1, int(problem.class_count.sum()))
    while (gone := max(done / max(1, steps), spent())) < 1.0:
        if gone >= ENDING and not ending:
            state, ending = standing(problem, best.plan), True
        weight = problem.class_weight
        if nodes and not ending:
            weight = np.minimum(weight, charges / (1 - gone) ** RISE)
        heat = scale * HOT * (COLD / HOT) ** gone
        room = 0.0 if ending else ROOM * heat
        run = min(most, steps - done)
        ruin_and_recreate(
            state, guide, problem.kind_free, problem.class_need, weight, guide.opening, run, heat, room, random
        )
        done += run
        found = _completed(problem, guide, state)
        charges = np.where(found.waiting > 0, charges * STUCK, charges)
        costs = _cost(problem, found)
        if costs < best.cost - LEAST_GAIN:
            best = Improvement(plan_of(found), costs, done)
            yield best


def arrived(problem: DeviceProblem, prices: DevicePrices, running: DevicePlan) -> DevicePlan:
    """The running plan with what is not placed yet added where there is room; nothing that runs is moved."""
    state = standing(problem, running)
    place(problem, guided(problem, prices), state)
    return plan_of(state)


def place(problem: DeviceProblem, guide: Guide, state: DeviceState) -> None:
    """Add what waits, what is worth its room and large first."""
    gain = np.clip(problem.class_weight / guide.takes, 1 / MOST_GAIN, MOST_GAIN)
    order = np.argsort(-(guide.size + MOST_GAIN * np.log(gain)), kind="stable")
    refill(state, guide, problem.class_need, order, np.arange(state.held.size), FIT, 0.0, _random(0))


def _charges(problem: DeviceProblem, prices: DevicePrices) -> Floats:
    """[C]: what leaving an instance out is charged at first, where nodes have prices."""
    mean = problem.class_count @ prices.instance / max(1, int(problem.class_count.sum()))
    return np.asarray(CHARGE * (prices.instance + FLOOR * mean))


def _completed(problem: DeviceProblem, guide: Guide, state: DeviceState) -> DeviceState:
    """A copy in which what waits is placed as well, where it is worth the node."""
    whole = copied(state)
    place(problem, guide, whole)
    close(whole, problem.class_need, np.arange(whole.held.size), problem.class_weight, guide.opening)
    return whole


def _cost(problem: DeviceProblem, state: DeviceState) -> float:
    used: Ints = state.node_kind[state.held > 0]
    return float(state.waiting @ problem.class_weight + problem.kind_price[used].sum())


def _random(seed: int) -> Words:
    """A state to draw from; different for seeds that differ little."""
    return np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)
