"""The product's problem as arrays: kinds of row become nodes, options and demands, and no rule is known here.

- Resource rows give nodes their capacity and instances their use. Nodes of a pool that are alike in all rows, in price
  and in what the frame lets stand there are one packed pool.
- A capacity row (`Rows.answers`) says what an instance answers and what a stage of a demand asks.
- Boxes (`boxes`) say which options a stage of a demand may take: its bit of their reach.
- Penalties are prices. A demand's worth is such that serving the last permille of it pays for a node. The price of
  what a path carries becomes one of instances (`_delivered`): that is near, and exact only in routes and repair.
- A *token* asks for next to nothing of a set of options: some instance of the set has to be there for it.

What rows say beside is for the rounds (`rounds`) and for repair (`repair`).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from controller.planning.fleet.cover_rows import unserved
from controller.planning.fleet.packed import Ints, PackedPlan, PackedProblem
from controller.planning.whole.asked import FEW_DEMANDS, MILLICENTS, Asked, Frame, asked_of_models, asked_urps
from controller.planning.whole.reading import Counts
from controller.planning.whole.rows import Rows
from rules.kernel.formulation import Resource

ROOMY: Final = 1 << 40
"""What a node has of that which no row bounds."""
FREE: Final = 1 << 40
"""Instances that run already where no start has a price."""


class Kinds(NamedTuple):
    """Nodes that are alike: [P] their names, what each has by resource row of its pool, and its price in dollars."""

    nodes: tuple[tuple[str, ...], ...]
    capacity: tuple[tuple[int, ...], ...]
    price: tuple[float, ...]
    of_pool: Mapping[str, tuple[int, ...]]
    rows_of_pool: Mapping[str, tuple[Mapping[str, int], ...]]
    """By pool, what its resource rows say that an instance of an option uses."""

    def may_hold(self, option: str, kind: int, frame: Frame) -> bool:
        """Whether the frame lets an option stand on the nodes of a kind: on all of them or on none."""
        return option not in frame.kept_to or self.nodes[kind][0] in frame.kept_to[option]


@dataclass(frozen=True)
class Translation:
    """The arrays, and what their numbers stand for."""

    problem: PackedProblem
    options: tuple[str, ...]
    """[O]"""
    nodes: tuple[str, ...]
    asked: tuple[Asked, ...]
    """[D]"""
    lost: tuple[Asked, ...]
    """What is asked of options that no node can hold."""
    numbers: Mapping[tuple[str, int], Sequence[int]]
    """The options in arrays of an option on nodes of a kind: one for each part of its model."""
    kinds: Kinds
    frame: Frame

    def counts(self, plan: PackedPlan) -> dict[tuple[str, str], int]:
        """Instances by option and node, the reserved ones included."""
        found: Counter[tuple[str, str]] = Counter(self.frame.reserved)
        for option, node in zip(plan.instance_option.tolist(), plan.instance_node.tolist(), strict=True):
            found[self.options[option], self.nodes[node]] += 1
        return found

    def packed(self, counts: Counts) -> PackedPlan:
        """The instances that the arrays know of, set to what is open, the reserved ones left out."""
        place = {name: at for at, name in enumerate(self.nodes)}
        kind = {name: at for at, names in enumerate(self.kinds.nodes) for name in names}
        set_anew: Counter[tuple[str, str]] = Counter()
        for (option, node), count in counts.items():
            set_anew[self.frame.instead.get(option, option), node] += count
        options, nodes = list[int](), list[int]()
        for (option, node), count in sorted(set_anew.items()):
            numbers = self.numbers.get((option, kind.get(node, -1)), ())
            for _ in range(count - self.frame.reserved.get((option, node), 0) if numbers else 0):
                options.append(numbers[len(options) % len(numbers)])
                nodes.append(place[node])
        return PackedPlan(np.array(options, np.int64), np.array(nodes, np.int64))

    def short(self, plan: PackedPlan) -> frozenset[str]:
        """The demands of which something stays unserved."""
        problem = self.problem
        found = {demand for item in self.lost for demand in item.demands}
        held = np.bincount(plan.instance_option, minlength=len(self.options)) * problem.option_urps
        for model in range(problem.first_option.size - 1):
            here = slice(*problem.first_option[model : model + 2].tolist())
            first, last = problem.first_demand[model : model + 2].tolist()
            offers = np.flatnonzero(held[here])
            reach = problem.option_reach[here][offers]
            lost = unserved(reach, held[here][offers], problem.demand_urps[first:last])
            for at in np.flatnonzero(lost).tolist():
                found.update(self.asked[first + at].demands)
        return frozenset(found)


def translate(rows: Rows, frame: Frame) -> Translation:
    """The arrays of a form within a frame."""
    kinds = _kinds(rows, frame)
    models = asked_of_models(rows, frame)
    numbers: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    options: list[str] = []
    kind_of, reach, first_option, first_demand = list[int](), list[int](), [0], [0]
    every, lost = list[Asked](), list[Asked]()
    for asked in models:
        before = len(options)
        for option, bits in _reach(asked).items():
            for kind in kinds.of_pool.get(rows.problem.option(option).placement.pool, ()):
                if not kinds.may_hold(option, kind, frame):
                    continue
                numbers[option, kind].append(len(options))
                options.append(option)
                kind_of.append(kind)
                reach.append(bits)
        if len(options) == before:
            lost.extend(asked)
            continue
        every.extend(asked)
        first_option.append(len(options))
        first_demand.append(len(every))
    width = max((len(uses) for uses in kinds.rows_of_pool.values()), default=0) or 1
    pairs, running, start_price = _pairs(rows, options)
    ceiling = max((item.urps for item in every), default=1) * FEW_DEMANDS
    price_of = _delivered(rows, frame)
    packed = PackedProblem(
        pool_nodes=np.array([len(names) for names in kinds.nodes], np.int64),
        pool_price=np.array(kinds.price, np.float64),
        pool_capacity=_table(kinds.capacity, width, ROOMY),
        first_option=np.array(first_option, np.int64),
        option_pool=np.array(kind_of, np.int64),
        option_use=_table(_uses(rows, options, kinds), width, 0),
        option_urps=np.array([rows.answers.offered.get(option, ceiling) for option in options], np.int64),
        option_price=np.array([price_of.get(option, 0) / MILLICENTS for option in options], np.float64),
        option_reach=np.array(reach, np.int64),
        option_pair=pairs,
        first_demand=np.array(first_demand, np.int64),
        demand_urps=np.array([item.urps for item in every], np.int64),
        demand_worth=np.array([item.worth for item in every], np.float64),
        pair_running=running,
        start_price=start_price,
    )
    nodes = tuple(name for names in kinds.nodes for name in names)
    return Translation(packed, tuple(options), nodes, tuple(every), tuple(lost), numbers, kinds, frame)


def _delivered(rows: Rows, frame: Frame) -> Mapping[str, float]:
    """By option, the price of an instance, with what links cost when it answers all that it may.

    An instance answers whoever reaches it, and the way is not as dear from everywhere: the mean over those who may ask
    it stands for it, each by what they ask.
    """
    calls: defaultdict[str, float] = defaultdict(float)
    links: defaultdict[str, float] = defaultdict(float)
    for demand, box in frame.boxes.items() if rows.prices.carried else ():
        more = rows.detours(demand)
        for stage, options in enumerate(box):
            urps = asked_urps(rows, demand, stage, options)
            for option in options:
                calls[option] += urps
                links[option] += urps * more.get(option, 0.0)
    found: dict[str, float] = dict(rows.prices.instances)
    for option, asked in calls.items():
        answered = min(rows.answers.offered.get(option, 0), asked)
        found[option] = found.get(option, 0) + answered * links[option] / max(asked, 1.0)
    return found


def _kinds(rows: Rows, frame: Frame) -> Kinds:
    resources = [row for row in rows.hard if isinstance(row, Resource)]
    pool_of = {node.name: node.pool for node in rows.problem.nodes}
    has: defaultdict[str, dict[int, int]] = defaultdict(dict)
    named: defaultdict[str, dict[int, None]] = defaultdict(dict)
    for at, row in enumerate(resources):
        for node, capacity in row.capacity:
            if node in pool_of:
                has[node][at] = capacity
                named[pool_of[node]][at] = None
    uses = [dict(row.use) for row in resources]
    for (option, node), count in frame.reserved.items():
        for at in has[node]:
            has[node][at] -= count * uses[at].get(option, 0)
    paid = {node for _, node in frame.reserved}
    kept = _kept(frame)
    alike: defaultdict[tuple[str, int, tuple[int, ...], tuple[int, ...]], list[str]] = defaultdict(list)
    for one in rows.problem.nodes:
        if one.name not in frame.closed_nodes:
            room = tuple(has[one.name].get(at, ROOMY) for at in named[one.pool])
            price = 0 if one.name in paid else rows.prices.nodes.get(one.name, 0)
            alike[one.pool, price, room, kept.get(one.name, ())].append(one.name)
    of_pool: defaultdict[str, list[int]] = defaultdict(list)
    for at, (pool, *_) in enumerate(alike):
        of_pool[pool].append(at)
    return Kinds(
        nodes=tuple(map(tuple, alike.values())),
        capacity=tuple(capacity for _, _, capacity, _ in alike),
        price=tuple(price / MILLICENTS for _, price, *_ in alike),
        of_pool={pool: tuple(kinds) for pool, kinds in of_pool.items()},
        rows_of_pool={pool: tuple(uses[at] for at in ats) for pool, ats in named.items()},
    )


def _kept(frame: Frame) -> Mapping[str, tuple[int, ...]]:
    """By node, to which of the sets of nodes that options are kept to it belongs."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for at, nodes in enumerate(dict.fromkeys(frame.kept_to.values())):
        for node in nodes:
            found[node].append(at)
    return {node: tuple(sets) for node, sets in found.items()}


def _uses(rows: Rows, options: Sequence[str], kinds: Kinds) -> list[list[int]]:
    found = []
    for option in options:
        pool = rows.problem.option(option).placement.pool
        found.append([use.get(option, 0) for use in kinds.rows_of_pool.get(pool, ())])
    return found


def _table(ragged: Sequence[Sequence[int]], width: int, filling: int) -> Ints:
    return np.array([[*row, *[filling] * (width - len(row))] for row in ragged], np.int64).reshape(len(ragged), width)


def _pairs(rows: Rows, options: Sequence[str]) -> tuple[Ints, Ints, float]:
    """The pair of each option, what runs of each pair, and the dearest start."""
    prices = rows.prices
    number: dict[int, int] = {}
    pairs = [number.setdefault(prices.start_of.get(option, -1), len(number)) for option in options]
    running = [prices.starts[at][1] if at >= 0 else FREE for at in number]
    start = max((price for _, _, price in prices.starts), default=0)
    return np.array(pairs, np.int64), np.array(running, np.int64), start / MILLICENTS


def _reach(asked: Sequence[Asked]) -> dict[str, int]:
    """The bits of each option, in order of its name."""
    reach: defaultdict[str, int] = defaultdict(int)
    for bit, item in enumerate(asked):
        for option in item.options:
            reach[option] |= 1 << bit
    return dict(sorted(reach.items()))
