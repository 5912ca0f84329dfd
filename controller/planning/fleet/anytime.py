"""A plan that becomes better as long as one asks, and what no plan can cost less than: all engines, one by one.

A fleet small enough for CP-SAT to take whole is searched for a moment and then solved exactly. A larger one is searched
until that has cooled down, and then in turns improved exactly, part by part, and searched again from there. Beside
either, in a thread, a lower bound rises; of it and CP-SAT's the better one counts. What ends by the clock may end
otherwise the next time: where a plan must come out the same again, `search_tries` and `solve_exactly` are asked with so
much work.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from controller.decision import Proof
from controller.planning.fleet.exact import solve_exactly, undercut
from controller.planning.fleet.fluid import likely_nodes
from controller.planning.fleet.layout import layout
from controller.planning.fleet.merged_pools import merged
from controller.planning.fleet.neighbourhood import polished
from controller.planning.fleet.packed import EMPTY, Ints, PackedPlan, PackedProblem
from controller.planning.fleet.program import Limits
from controller.planning.fleet.proving import Proving
from controller.planning.fleet.ranking import likely_first
from controller.planning.fleet.rivals import MOST_RIVALS, Rival, Schedule, cores, raced
from controller.planning.fleet.search import APART, HOTTEST, TOGETHER, WARM, Known, Search, search_for

MOST_MODELS: Final = 30
MOST_OPTIONS: Final = 1000
"""What CP-SAT takes whole: beyond, it does not even find what the search finds."""
GLANCE: Final = 0.1
"""The part of the time, and at most so many seconds, that a small fleet is searched before it is solved exactly."""
COOLING: Final = 0.5
"""A search cools down in this part of the time ..."""
COOLING_S: Final = (0.004, 0.012)
"""... and at least, and at most, in so many seconds for each instance."""
MANY: Final = 3000
"""Instances: with less time, a plan of more begins with its models together, since clearing nodes takes longest."""
TURN_S: Final = 2.0
"""How long a plan is improved in parts before it is searched again, and the other way round."""
PROVING_S: Final = 3.0
"""With less time than this no bound is worked on: it would take it from the search."""
MERGED: Final = 0.5
"""For at most this part of the time a small fleet's pools are merged, and what that costs is looked for: mostly both is
done sooner, and proves the plan."""
AS_CHEAP: Final = 1 + 1e-7
"""A plan that costs at most so many times what any costs is the best: prices are rounded down to whole units."""
ALONE: Final = 0.25
"""For this part of the time that is left it is solved at once."""
BESIDE: Final = 0.2
"""... and for this part without a bound beside it."""
STRIDE: Final = 1_000
"""Rivals' seeds are so far apart."""
ROUNDS: Final = 60
"""Then the bound of a small fleet hardly rises any more, and CP-SAT needs the processor."""
NEAR: Final = 0.03
"""Then it is proven first that nothing is cheaper by this part: mostly a fraction of the work that is left."""
ATTEMPTS: Final = 3
"""... at most so often, sharing the time that is left: some proofs take long by chance alone."""
STARTS: Final = 6
AGAIN: Final = 0.1
"""Before that it is searched anew so often, for this part of the time that is left."""
UNTIRING: Final = 1e9


@dataclass(frozen=True, slots=True)
class Progress:
    """The best cost and the best proven bound so far, dollars an hour; the engine that is at work, and the tries."""

    cost: float
    bound: float
    seconds: float
    engine: str
    tries: int


class Anytime:
    """Planning one problem; `plan` is the best one at any moment.

    Within, the likely options of a model come first; plans that are given and taken have the problem's own numbers.
    """

    def __init__(self, problem: PackedProblem, start: PackedPlan = EMPTY, seed: int = 1) -> None:
        self._seed = seed
        self._began = time.perf_counter()
        self._problem, self._numbers = likely_first(problem)
        known = Known(layout(self._problem), np.arange(self._numbers.size))
        start = start._replace(instance_option=np.argsort(self._numbers)[start.instance_option])
        is_new = start.instance_option.size == 0
        self._likely = self._think_ahead(known) if is_new and not self.is_small else None
        self._search = Search(self._problem, start, seed, known=known)
        self._start = start
        self._told_cost = self._search.cost
        self._tries = 0
        self._bound = 0.0
        self._goal = 0.0

    @property
    def plan(self) -> PackedPlan:
        """The best plan so far."""
        found = self._search.plan
        return found._replace(instance_option=self._numbers[found.instance_option])

    def _think_ahead(self, known: Known) -> Future[Ints]:
        """Where a new plan is to begin, found while the first one is made."""
        with_one = ThreadPoolExecutor(1, "likely nodes")
        found = with_one.submit(likely_nodes, self._problem, known.order)
        with_one.shutdown(wait=False)
        return found

    @property
    def is_small(self) -> bool:
        """Whether CP-SAT takes the problem whole."""
        return self._problem.first_option.size - 1 <= MOST_MODELS and self._problem.option_pool.size <= MOST_OPTIONS

    def improve_for(self, seconds: float) -> Iterator[Progress]:
        """Plan for so long, counted from the beginning; tells of each better plan, and of the end."""
        until = self._began + seconds
        yield self._told("construct")
        rounds = range(ROUNDS) if self.is_small else itertools.count()
        proving = Proving(self._problem, self._unproven_s(seconds), rounds) if seconds >= PROVING_S else None
        try:
            for told in self._exactly(until) if self.is_small else self._large(until, seconds):
                self._bound = max(self._bound, proving.proven if proving else 0.0)
                yield told
        finally:
            if proving:
                proving.stop()
                self._bound = max(self._bound, proving.proven)
        yield self._told("exact" if self.is_small else "done")

    def _told(self, engine: str) -> Progress:
        passed = time.perf_counter() - self._began
        self._told_cost = self._search.cost
        return Progress(self._search.cost, self._bound, passed, engine, self._tries)

    def _large(self, until: float, seconds: float) -> Iterator[Progress]:
        yield from self._race(until, seconds)
        turn = self._seed
        while time.perf_counter() < until:
            turn += 1
            yield from self._in_parts(min(until, time.perf_counter() + TURN_S), turn)
            yield from self._cool(self._search, min(TURN_S, until - time.perf_counter()), WARM)

    def _race(self, until: float, seconds: float) -> Iterator[Progress]:
        """Search until it has cooled down: with all cores, as long as no bound is worked on, and then with one."""
        cooled = min(until, time.perf_counter() + self._cooling_s(seconds))
        schedule = Schedule(cooled, is_new=self._likely is not None)
        rivals = [Rival(begin, schedule) for begin in self._beginnings()]
        for _ in raced(rivals, self._began + self._unproven_s(seconds)):
            yield from self._come_to(rivals[0])
        best = min(rivals, key=lambda rival: rival.cost)
        for _ in best.run(until):
            yield from self._come_to(best)
        yield from self._come_to(best)
        self._tries = sum(rival.tries for rival in rivals)
        yield self._told("search")

    def _cooling_s(self, seconds: float) -> float:
        least_s, most_s = (part * self._search.instances for part in COOLING_S)
        return min(max(least_s, COOLING * seconds), most_s)

    def _unproven_s(self, seconds: float) -> float:
        """How long no bound is worked on."""
        if seconds < PROVING_S:
            return seconds
        return BESIDE * seconds if self.is_small else min(COOLING * seconds, self._cooling_s(seconds))

    def _come_to(self, rival: Rival) -> Iterator[Progress]:
        """The plan is this rival's as soon as it is the best."""
        self._tries = rival.tries
        if rival.search and rival.cost <= self._search.cost:
            self._search = rival.search
            if rival.cost < self._told_cost:
                yield self._told("search")

    def _beginnings(self) -> list[Callable[[], Search]]:
        """How each rival makes its first plan; a new one among few nodes, its models by turns apart and together."""
        known, seeds = self._search.known, range(self._seed, self._seed + STRIDE * min(cores(), MOST_RIVALS), STRIDE)
        if self._likely is None:
            others = [partial(Search, self._problem, self._start, seed, known=known) for seed in seeds[1:]]
            return [lambda: self._search, *others]
        nodes = self._likely.result()
        crowdings = itertools.cycle((TOGETHER, APART) if self._search.instances > MANY else (APART, TOGETHER))
        return [
            partial(Search, self._problem, EMPTY, seed, crowding, most_nodes=nodes, known=known)
            for seed, crowding in zip(seeds, crowdings, strict=False)
        ]

    def _cool(self, search: Search, seconds: float, hottest: float = HOTTEST[1]) -> Iterator[Progress]:
        """Search for so long; the plan is this search's as soon as it is the best."""
        before = self._tries
        for step in search_for(search, max(0.0, seconds), hottest):
            self._tries = before + step.tries
            if search.cost < self._search.cost:
                self._search = search
            if self._search.cost < self._told_cost:
                yield self._told("search")

    def _in_parts(self, until: float, seed: int) -> Iterator[Progress]:
        for plan in polished(self._problem, self._search.plan, seed, lambda: max(0.0, until - time.perf_counter())):
            self._search.adopt(plan)
            yield self._told("parts")
            if time.perf_counter() >= until:
                return

    def _exactly(self, until: float) -> Iterator[Progress]:
        """Solve it at once, or else from the best of a few plans: on few nodes a search hardly leaves its first."""
        left = until - time.perf_counter()
        yield from self._cool(self._search, min(GLANCE * left, GLANCE))
        self._try_merged(time.perf_counter() + MERGED * left)
        yield self._told("exact")
        if self._is_best(ALONE * (until - time.perf_counter()), self._seed):
            return
        left = until - time.perf_counter()
        for seed in range(self._seed + 1, self._seed + 1 + STARTS):
            other = Search(self._problem, seed=seed, known=self._search.known)
            yield from self._cool(other, left * AGAIN / STARTS)
        left = until - time.perf_counter()
        for seed in range(self._seed + 1, self._seed + 1 + ATTEMPTS):
            self._come_nearer(min(left / ATTEMPTS, until - time.perf_counter()), seed)
            yield self._told("exact")
        self._is_best(until - time.perf_counter(), self._seed + 1)

    def _try_merged(self, until: float) -> None:
        """Bound the cost by that of merged pools, and look for a plan that costs no more."""
        relaxed = merged(self._problem)
        if relaxed is None:
            return
        limits = Limits(UNTIRING, until - time.perf_counter(), seed=self._seed)
        found = solve_exactly(relaxed, Search(relaxed, seed=self._seed).plan, limits)
        if found.proof is Proof.OPTIMAL:
            self._bound = max(self._bound, min(found.cost, self._search.cost))
            self._goal = AS_CHEAP * found.cost
            self._undercut(self._goal, until - time.perf_counter(), self._seed)
        self._bound = max(self._bound, min(found.bound, self._search.cost))

    @property
    def _is_proven(self) -> bool:
        return self._search.cost <= AS_CHEAP * self._bound

    def _undercut(self, cost: float, seconds: float, seed: int) -> None:
        """Look for a plan that costs no more than that for so long, or prove that there is none."""
        if seconds <= 0 or self._is_proven:
            return
        found = undercut(self._problem, self._search.plan, cost, Limits(UNTIRING, seconds, seed=seed))
        self._search.adopt(found.plan)
        self._bound = max(self._bound, found.bound)

    def _come_nearer(self, seconds: float, seed: int) -> None:
        """Look for a plan that is much cheaper; where none is, for one that costs no more than with merged pools."""
        below = (1 - NEAR) * self._search.cost
        goal = below if self._bound < below else self._goal
        if self._bound < goal:
            self._undercut(goal, seconds, seed)

    def _is_best(self, seconds: float, seed: int) -> bool:
        """Solve the whole problem for so long, and tell whether the plan is proven to be the best."""
        if seconds <= 0 or self._is_proven:
            return self._is_proven
        found = solve_exactly(self._problem, self._search.plan, Limits(UNTIRING, seconds, seed=seed))
        self._search.adopt(found.plan)
        is_best = found.proof is Proof.OPTIMAL
        self._bound = max(self._bound, self._search.cost if is_best else found.bound)
        return is_best
