"""Finding a plan for a whole fleet: build one, then again and again take a part of it away and serve that anew.

Ruin and recreate (Schrimpf, Schneider, Stamm-Wilbrandt and Dueck 2000) under simulated annealing: a try that makes the
plan cheaper is kept, one that makes it dearer by x with probability exp(-x / temperature).
"""

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from controller.compiled import allocation_free, compiled, inlined
from controller.planning.fleet.best import Best, best_of, keep, note_changes
from controller.planning.fleet.layout import Layout, layout
from controller.planning.fleet.packed import EMPTY, Floats, Ints, PackedPlan, PackedProblem
from controller.planning.fleet.ranking import ranked
from controller.planning.fleet.recreate import Mood, serve
from controller.planning.fleet.ruin import Touched, ruin, untouched
from controller.planning.fleet.standing import (
    NOWHERE,
    Standing,
    plan_of,
    standing,
    take_back,
)

HOTTEST: Final = (0.005, 0.1)
"""The first temperature, as a part of what an instance costs on average: at least, and at most."""
APART: Final = 0.1
TOGETHER: Final = 0.5
"""How dear a new node is for the first plan's models, and how cheap a used one.

Where they are put together, fewer nodes are left half empty; where apart, more models stand where they are best off.
Which is better only a search tells.
"""
WARM: Final = 0.02
"""The temperature to begin with where a good plan is searched again, likewise."""
NOISE: Final = 0.2
"""How far a price is misjudged at most; more of it helps where prices differ a lot and costs elsewhere."""
WIDE_LOOK: Final = 0.25
"""The part of the tries that look at more than the likely options of a model."""
BETTER: Final = 1e-9
FIRST_TRIES: Final = 64
CHUNK_S: Final = 0.02
"""About how often the clock is looked at."""


class Cooling(NamedTuple):
    """From which temperature to which, as parts of what an instance costs on average."""

    heat: float
    """Within HOTTEST, the first one is so many times the root of the tries that each instance can be given."""
    coldest: float


BY_CLOCK: Final = Cooling(0.004, 0.001)
BY_TRIES: Final = Cooling(0.006, 0.002)
"""For rounds that follow each other, each with other rows that bind, a plan need not be as cold."""


@dataclass(frozen=True, slots=True)
class Step:
    """The best cost so far in dollars an hour, after so many seconds and tries."""

    cost: float
    seconds: float
    tries: int


class Known(NamedTuple):
    """What searches of one problem may share."""

    fixed: Layout
    order: Ints
    """[O]: each model's options, the likely ones first."""


def known_of(problem: PackedProblem) -> Known:
    """What follows from a problem, found once."""
    fixed = layout(problem)
    return Known(fixed, ranked(problem, fixed))


class Search:
    """A search from a plan, by a seed; the same seed and the same tries give the same plan."""

    def __init__(
        self,
        problem: PackedProblem,
        start: PackedPlan = EMPTY,
        seed: int = 1,
        crowding: float = APART,
        *,
        most_nodes: Ints | None = None,
        known: Known | None = None,
    ) -> None:
        """Build a first plan; with `most_nodes` [P] of each pool, or what it needs, as long as not `open_up`."""
        self.problem = problem
        self.known = known or known_of(problem)
        self.fixed, self.order = self.known
        self._at = standing(problem, self.fixed, start)
        self._touched = untouched(problem)
        self._dice = np.random.default_rng(seed)
        if most_nodes is not None:
            self._keep_within(most_nodes)
            self._construct(crowding)
            self.open_up()
        self._construct(crowding)
        if most_nodes is not None:
            self._keep_within(most_nodes)
        self._best = best_of(self._at)

    def open_up(self) -> None:
        """Let every node be opened."""
        self._at.order.end[:] = self.fixed.first_node[1:]

    def _keep_within(self, most_nodes: Ints) -> None:
        """Open no more nodes of each pool than so many, or than are in use."""
        first, order = self.fixed.first_node[:-1], self._at.order
        order.end[:] = np.maximum(first + np.minimum(most_nodes, self.problem.pool_nodes), order.end_of_used)

    def _construct(self, crowding: float) -> None:
        models = _largest_first(self.problem, self.fixed)
        _construct(self.problem, self.fixed, self._at, self.order, models, crowding, self._dice)

    @property
    def cost(self) -> float:
        """Of the best plan found, in dollars an hour."""
        return float(self._best.total[0])

    @property
    def plan(self) -> PackedPlan:
        """The best plan found."""
        return plan_of(self._best.node_option)

    @property
    def instances(self) -> int:
        """How many stand at the moment."""
        return int(self._at.held.sum())

    @property
    def cost_by_instance(self) -> float:
        """What an instance costs on average."""
        return self.cost / max(1, self.instances)

    def run(self, tries: int, temperature: float) -> None:
        """Try so often; `temperature` in dollars an hour."""
        _anneal(
            self.problem,
            self.fixed,
            self._at,
            self.order,
            self._touched,
            self._best,
            tries,
            temperature,
            self._dice,
        )

    def adopt(self, plan: PackedPlan) -> None:
        """Go on from another plan, which was found elsewhere."""
        self._at = standing(self.problem, self.fixed, plan)
        found = best_of(self._at)
        if found.total[0] < self._best.total[0]:
            self._best = found
        else:
            self._best.changed[:] = np.arange(self._best.changed.size)
            self._best.is_changed[:] = 1
            self._best.counter[0] = self._best.changed.size


def search_for(search: Search, seconds: float, hottest: float = HOTTEST[1]) -> Iterator[Step]:
    """Search for so long, cooling down; tells about every 20 ms how far it has come, and at the end.

    How hot it begins follows from the tries that there is time for; at most `hottest`, a part of what an instance costs
    on average.
    """
    began = time.perf_counter()
    yield Step(search.cost, 0.0, 0)
    done, chunk, passed = 0, FIRST_TRIES, 0.0
    while passed < seconds:
        expected = done * seconds / passed if passed else 0.0
        first = min(hottest, _hottest(search, expected, BY_CLOCK))
        search.run(chunk, _temperature(search, first, BY_CLOCK.coldest, passed / seconds))
        done += chunk
        passed = time.perf_counter() - began
        chunk = max(1, round(done / passed * min(CHUNK_S, max(seconds - passed, CHUNK_S / 10))))
        yield Step(search.cost, passed, done)


def search_tries(search: Search, tries: int, stop: threading.Event | None = None) -> float:
    """Search with so many tries, or until `stop`, cooling down: the same on every machine. The best cost."""
    chunk = max(1, tries // 100)
    for done in range(0, tries, chunk):
        if stop is not None and stop.is_set():
            break
        first = _hottest(search, tries, BY_TRIES)
        search.run(min(chunk, tries - done), _temperature(search, first, BY_TRIES.coldest, done / tries))
    return search.cost


def _hottest(search: Search, tries: float, cooling: Cooling) -> float:
    part: float = cooling.heat * math.sqrt(tries / max(search.instances, 1))
    return min(max(part, HOTTEST[0]), HOTTEST[1])


def _temperature(search: Search, hottest: float, coldest: float, passed: float) -> float:
    part: float = hottest * (coldest / hottest) ** min(passed, 1.0)
    return max(search.cost_by_instance * part, BETTER)


def _largest_first(problem: PackedProblem, fixed: Layout) -> Ints:
    """The models by the size of their instances."""
    return np.argsort(-_largest(problem.first_option, fixed.option_share), kind="stable")


@compiled
def _largest(first_option: Ints, option_share: Floats) -> Floats:
    """[M]: the largest share of a node that an instance of a model takes."""
    largest = np.zeros(first_option.size - 1)
    for model in range(largest.size):
        for option in range(first_option[model], first_option[model + 1]):
            largest[model] = max(largest[model], option_share[option])
    return largest


@allocation_free
def _construct(
    problem: PackedProblem,
    fixed: Layout,
    at: Standing,
    order: Ints,
    models: Ints,
    crowding: float,
    dice: np.random.Generator,
) -> None:
    """Serve every model in turn."""
    careful = Mood(opening=crowding, gift=crowding, lure=NOWHERE, bonus=0.0, noise=0.0, widely=True)
    for which in range(models.size):
        serve(problem, fixed, at, order, models[which], careful, dice)
        at.written[0] = 0


@allocation_free
def _anneal(
    problem: PackedProblem,
    fixed: Layout,
    at: Standing,
    order: Ints,
    touched: Touched,
    best: Best,
    tries: int,
    temperature: float,
    dice: np.random.Generator,
) -> None:
    for _ in range(tries):
        before = at.total[0]
        at.written[0] = 0
        lure = ruin(problem, fixed, at, order, touched, dice)
        _recreate(problem, fixed, at, order, touched, lure, dice)
        dearer = at.total[0] - before
        if dearer > 0 and dice.random() >= math.exp(-dearer / temperature):
            take_back(problem, fixed, at)
            _forget(at, touched)
            at.total[0] = before
        else:
            note_changes(best, at)
            if at.total[0] < best.total[0] - BETTER:
                keep(best, at)


@inlined
def _forget(at: Standing, touched: Touched) -> None:
    """What the touched models miss is what they missed before."""
    for touch in range(touched.counter[0]):
        at.missed[touched.models[touch]] = touched.missed[touched.models[touch]]


@allocation_free
def _recreate(
    problem: PackedProblem,
    fixed: Layout,
    at: Standing,
    order: Ints,
    touched: Touched,
    lure: int,
    dice: np.random.Generator,
) -> None:
    """Serve the touched models in one mood, large ones rather first."""
    mood = Mood(dice.random(), dice.random(), lure, dice.random(), NOISE * dice.random(), dice.random() < WIDE_LOOK)
    _put_in_order(problem, fixed, at, touched, dice)
    for touch in range(touched.counter[0]):
        serve(problem, fixed, at, order, touched.models[touch], mood, dice)


@allocation_free
def _put_in_order(
    problem: PackedProblem, fixed: Layout, at: Standing, touched: Touched, dice: np.random.Generator
) -> None:
    """By insertion: there are few."""
    models, key = touched.models, at.key
    for touch in range(touched.counter[0]):
        model = models[touch]
        first, last = problem.first_option[model], problem.first_option[model + 1]
        size = (fixed.option_share[first] if first < last else 0.0) * (0.5 + dice.random())
        place = touch
        while place > 0 and key[place - 1] < size:
            key[place], models[place] = key[place - 1], models[place - 1]
            place -= 1
        key[place], models[place] = size, model
