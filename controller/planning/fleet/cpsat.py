"""CP-SAT reads the arrays: the whole of a problem, or a part of it while the rest stays where it is.

Unknowns: n[option] instances, what stays unserved of each demand, what is started of each pair, and how many nodes of
each kind are cut in which way. There is none for a route (see `cover_rows`), nor one for each node (see `slots`).

    minimise  sum price * nodes + sum option_price * n + start_price * sum started + sum worth * unserved
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from controller.planning.fleet.cover_rows import cover_rows, rounded, subset_sums, unserved
from controller.planning.fleet.packed import Floats, Ints, PackedPlan, PackedProblem, first_nodes
from controller.planning.fleet.packing import Packing
from controller.planning.fleet.program import Program
from controller.planning.fleet.rooms import Rooms

GRAIN_URPS: Final = 100
"""Rates are counted in ten-thousandths of a request a second, rounded up when asked and down when offered: with smaller
numbers CP-SAT finds better cuts, and one more grain would not be missed by anybody."""


class Part(NamedTuple):
    """What is to be decided."""

    models: Ints
    options: Ints
    """Of these models, in ascending order."""
    rooms: Rooms


class PackedForm:
    """A part as a programme, and the ways from a plan and back to one."""

    def __init__(self, problem: PackedProblem, part: Part) -> None:
        self.problem = problem
        self.part = part
        self.program = Program()
        self.offered = problem.option_urps[part.options] // GRAIN_URPS
        self.asked = -(-problem.demand_urps // GRAIN_URPS)
        self.reached = self._reached()
        self.most = self._most()
        self.program.unknowns(self.most.tolist(), self._price().tolist())
        self.lost = {model: self._cover(model) for model in part.models.tolist()}
        self.started = self._start()
        self.packings = self._pack()

    def _options(self, model: int) -> slice:
        """Where the options of a model stand among those of the part."""
        first, last = np.searchsorted(self.part.options, self.problem.first_option[model : model + 2]).tolist()
        return slice(first, last)

    def _demands(self, model: int) -> slice:
        return slice(*self.problem.first_demand[model : model + 2].tolist())

    def _reached(self) -> Ints:
        """What is asked of each option by all demands that it may serve."""
        reached = np.zeros(self.part.options.size, np.int64)
        for model in self.part.models.tolist():
            here = self._options(model)
            sums = subset_sums(self.asked[self._demands(model)])
            reached[here] = sums[self.problem.option_reach[self.part.options[here]]]
        return reached

    def _most(self) -> Ints:
        """Instances of an option beyond which one more serves nobody, whatever others there are."""
        most = -(-self.reached // np.maximum(self.offered, 1)) * (self.offered > 0)
        return most * np.isin(self.problem.option_pool[self.part.options], self.part.rooms.pool)

    def _cover(self, model: int) -> range:
        """What is not offered to any set of demands stays unserved of it."""
        here, demands = self._options(model), self._demands(model)
        asked, worth = self.asked[demands], self.problem.demand_worth[demands] * GRAIN_URPS
        lost = self.program.unknowns(asked.tolist(), worth.tolist())
        reach = np.where(self.most[here] > 0, self.problem.option_reach[self.part.options[here]], 0)
        rows = cover_rows(reach, self.offered[here], asked)
        for each in (rows, rounded(rows)):
            for subset, wanted, offered in zip(each.subset.tolist(), each.asked.tolist(), each.offered, strict=True):
                options = np.flatnonzero(offered)
                members = [unknown for bit, unknown in enumerate(lost) if subset >> bit & 1]
                self.program.row(
                    [*(options + here.start).tolist(), *members],
                    [*offered[options].tolist(), *([1] * len(members))],
                    lowest=wanted,
                )
        reached = int(np.bitwise_or.reduce(reach, initial=0))
        for bit, unknown in enumerate(lost):
            if not reached >> bit & 1:
                self.program.row([unknown], [1], lowest=int(asked[bit]))
        return lost

    def _price(self) -> Floats:
        """What an instance of each option costs; where none runs yet, each is a start too."""
        problem, options = self.problem, self.part.options
        fresh = problem.pair_running[problem.option_pair[options]] == 0
        price: Floats = problem.option_price[options] + problem.start_price * fresh
        return price

    def _start(self) -> list[tuple[int, int, Ints]]:
        """Of each pair that runs already: the unknown for starts, what runs, and its options in the part."""
        pairs = self.problem.option_pair[self.part.options]
        running = self.problem.pair_running[pairs]
        order = np.argsort(pairs, kind="stable")
        order = order[(running[order] > 0) & (self.most[order] > 0)]
        groups = np.split(order, np.flatnonzero(np.diff(pairs[order])) + 1) if self.problem.start_price > 0 else []
        started = []
        for members in groups:
            runs = int(running[members].max(initial=0))
            beyond = int(self.most[members].sum()) - runs
            if beyond > 0:
                (unknown,) = self.program.unknowns([beyond], [self.problem.start_price])
                self.program.row([*members.tolist(), unknown], [*([1] * members.size), -1], highest=runs)
                started.append((unknown, runs, members))
        return started

    def _pack(self) -> list[tuple[Ints, Packing]]:
        """What stands in each pool finds room on its nodes."""
        rooms, pools = self.part.rooms, self.problem.option_pool[self.part.options]
        packings = []
        for pool in np.unique(pools[self.most > 0]).tolist():
            members = np.flatnonzero((pools == pool) & (self.most > 0))
            kinds = np.flatnonzero(rooms.pool == pool)
            among = Rooms(
                rooms.pool[kinds], rooms.left[kinds], rooms.price[kinds], tuple(rooms.nodes[k] for k in kinds)
            )
            use = self.problem.option_use[self.part.options[members]]
            packing = Packing(self.program, members, use, int(self.most[members].sum()), among)
            for kin in self._kin(members):
                packing.need(self.program, members, kin, self._together(members[kin]))
            packings.append((members, packing))
        return packings

    def _kin(self, members: Ints) -> list[Ints]:
        """Which of the options stand together in each pair, given by their places."""
        pairs = self.problem.option_pair[self.part.options[members]]
        order = np.argsort(pairs, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(pairs[order])) + 1)

    def _together(self, members: Ints) -> int:
        """Instances of a pair beyond which one more serves nobody.

        Where each option reaches all that the next one does, one of the last that is there can go as soon as the others
        answer all that is asked of the first: what the last does not reach had nothing of it.
        """
        reach = self.problem.option_reach[self.part.options[members]]
        first = int(np.argmax(np.bitwise_count(reach)))
        order = np.argsort(-np.bitwise_count(reach), kind="stable")
        together = int(self.most[members].sum())
        if (reach[order[1:]] & ~reach[order[:-1]]).any():
            return together
        return min(together, -(-int(self.reached[members[first]]) // int(self.offered[members].min())))

    def values(self, plan: PackedPlan) -> list[int]:
        """Every unknown's value in a plan, whose instances are all of the part's options."""
        option = np.searchsorted(self.part.options, plan.instance_option)
        values = np.zeros(len(self.program.highest), np.int64)
        counts = np.minimum(np.bincount(option, minlength=self.most.size), self.most)
        values[: counts.size] = counts
        for model, lost in self.lost.items():
            values[lost.start : lost.stop] = self._unserved(model, counts)
        for unknown, running, members in self.started:
            values[unknown] = max(0, int(counts[members].sum()) - running)
        for members, packing in self.packings:
            here = np.isin(option, members)
            packing.assign(np.searchsorted(members, option[here]), plan.instance_node[here], values)
        return values.tolist()

    def _unserved(self, model: int, counts: Ints) -> Ints:
        here = self._options(model)
        reach = self.problem.option_reach[self.part.options[here]]
        return unserved(reach, counts[here] * self.offered[here], self.asked[self._demands(model)])

    def plan(self, values: Sequence[int]) -> PackedPlan:
        """The instances that values stand for, each on its node."""
        given = np.array(values, np.int64)
        options, nodes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for members, packing in self.packings:
            instances = np.repeat(np.arange(members.size), given[members])
            options.append(self.part.options[members[instances]])
            nodes.append(packing.places(instances, given))
        return PackedPlan(np.concatenate(options), np.concatenate(nodes))

    def cost(self, plan: PackedPlan) -> float:
        """Dollars an hour of what the part decides, by whole grains."""
        problem = self.problem
        counts = np.bincount(np.searchsorted(self.part.options, plan.instance_option), minlength=self.most.size)
        paid = np.concatenate(
            [
                np.empty(0, np.int64),
                *(
                    nodes
                    for price, nodes in zip(self.part.rooms.price, self.part.rooms.nodes, strict=True)
                    if price > 0
                ),
            ]
        )
        used = np.unique(plan.instance_node)
        pools = np.searchsorted(first_nodes(problem), used[np.isin(used, paid)], side="right") - 1
        standing = np.bincount(problem.option_pair[plan.instance_option], minlength=problem.pair_running.size)
        starts = np.maximum(standing - problem.pair_running, 0).sum()
        lost = (problem.demand_worth[self._demands(model)] @ self._unserved(model, counts) for model in self.lost)
        return float(
            problem.pool_price[pools].sum()
            + problem.option_price[self.part.options] @ counts
            + problem.start_price * starts
            + GRAIN_URPS * sum(lost)
        )
