"""A Formulation with the nodes of each pool taken together: one array that a linear programme and CP-SAT both read.

Unknowns: instances n[option] and powered nodes y[pool], both summed over the nodes of a pool; share[path] and
unserved[demand] in permille; level switches. Every plan of the form is a solution here, not the other way round: how
instances fall on the nodes is left open but for what no node can hold. So what is impossible here is impossible, and
what this costs is a bound from below. The size does not grow with the number of nodes.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Final

from controller.planning.barring import barring
from controller.planning.cpsat import MOST_INSTANCES
from controller.planning.pooled.room import by_pool, most_on_a_node, rooms
from rules.kernel.formulation import (
    Assurance,
    Budget,
    Count,
    Distinct,
    Exclusion,
    Exclusive,
    Flow,
    Formulation,
    Gathered,
    Ladder,
    Penalty,
    Resource,
    Row,
)
from rules.kernel.problem import WHOLE_PERMILLE, Option, Problem

Terms = list[tuple[int, int]]
"""(column, factor)"""


LARGE: Final = 3
"""Options of which a node holds at most so many are bounded together: three of a third and a bit do not fit."""


@dataclass(frozen=True, slots=True)
class PooledRow:
    """lowest <= sum of factor * unknown <= highest, and the form's row behind it; an end that is None is open.

    `bounding` where the ends are the form's row's own, and change with it.
    """

    terms: Terms
    lowest: int | None
    highest: int | None
    source: Row | None = None
    bounding: bool = False


class PooledForm:
    """The columns by name with their upper ends and costs, the rows, and the sets of columns that exclude each other.

    All columns are whole numbers from 0 on.
    """

    def __init__(self, form: Formulation, problem: Problem) -> None:
        self.problem = problem
        self.upper: list[int] = []
        self.cost: list[int] = []
        self.rows: list[PooledRow] = []
        self.exclusive: list[list[int]] = []
        self.nodes: dict[str, list[str]] = {}
        for node in problem.nodes:
            self.nodes.setdefault(node.pool, []).append(node.name)
        self.pool = {node.name: node.pool for node in problem.nodes}
        self.options: dict[str, list[Option]] = {pool: [] for pool in self.nodes}
        for option in problem.options:
            if option.placement.pool in self.options:
                self.options[option.placement.pool].append(option)
        self._rooms = rooms(form, self.pool, self.nodes)
        most, bounded = most_on_a_node(problem, self._rooms)
        self.powered = {name: self._column(len(nodes)) for name, nodes in self.nodes.items()}
        self.instances = {
            option.id: self._column(most[option.id] * len(self.nodes[option.placement.pool]))
            for option in problem.options
            if option.placement.pool in self.nodes
        }
        self.share = {path.id: self._column(WHOLE_PERMILLE) for path in problem.paths}
        self.unserved = {demand.id: self._column(WHOLE_PERMILLE) for demand in problem.demands}
        self.at_least: dict[tuple[str, int], int] = {}
        self._top: dict[str, int] = {}
        self.started: list[int] = []
        self.carried: list[int] = []
        for path in barring(form, problem):
            self.upper[self.share[path]] = 0
        self.loose = self._link_power(bounded)
        self.add(form.rows)

    def further(self, rows: Iterable[Row]) -> "PooledForm":
        """The same with more rows, ladders excepted; what is there is not written again."""
        wider = copy(self)
        wider.upper, wider.cost, wider.rows = list(self.upper), list(self.cost), list(self.rows)
        wider.add(rows)
        return wider

    @staticmethod
    def ends(row: Row) -> tuple[int | None, int | None]:
        """The ends of the row over pools that is said to be bounding, for a form's row that has one."""
        match row:
            case Count():
                return row.lowest, row.highest
            case Distinct():
                return row.least, None
            case Budget():
                return None, row.ceiling_millicents * WHOLE_PERMILLE
            case _:
                return None, None

    def add(self, rows: Iterable[Row]) -> None:
        """Write more rows; ladders come before what speaks of their levels."""
        writers = self._writers()
        for row in sorted(rows, key=lambda row: not isinstance(row, Ladder)):
            writers[type(row)](row)

    def _column(self, upper: int) -> int:
        self.upper.append(upper)
        self.cost.append(0)
        return len(self.upper) - 1

    def _row(
        self,
        terms: Terms,
        lowest: int | None,
        highest: int | None,
        source: Row | None = None,
        *,
        bounding: bool = False,
    ) -> None:
        self.rows.append(PooledRow(terms, lowest, highest, source, bounding))

    def _link_power(self, bounded: set[str]) -> list[int]:
        """No more of an option than could ever stand on each powered node; the rows of which a resource says more."""
        loose = []
        for option in self.problem.options:
            if option.id in self.instances:
                if option.id in bounded:
                    loose.append(len(self.rows))
                terms = [(self.instances[option.id], 1), (self.powered[option.placement.pool], -MOST_INSTANCES)]
                self._row(terms, None, 0)
        return loose

    def _writers(self) -> dict[type[Row], Callable[[Row], None]]:
        writers: dict[type[Row], Callable[..., None]] = {
            Exclusion: self._exclusion,
            Resource: self._resource,
            Count: self._count,
            Distinct: self._distinct,
            Exclusive: self._exclusive,
            Gathered: self._gathered,
            Flow: self._flow,
            Budget: self._budget,
            Ladder: self._ladder,
            Assurance: self._assurance,
            Penalty: self._penalty,
        }
        return writers

    def _exclusion(self, row: Exclusion) -> None:
        if row.option in self.instances and not (row.path or row.demand):
            self.upper[self.instances[row.option]] = 0

    def _resource(self, row: Resource) -> None:
        capacity, use = by_pool(row.capacity, self.pool), dict(row.use)
        for pool, values in capacity.items():
            if len(values) < len(self.nodes[pool]):
                continue  # instances on the nodes that it leaves out are not limited
            terms = [(self.instances[o.id], use[o.id]) for o in self.options[pool] if use.get(o.id, 0)]
            if not terms:
                continue
            largest, powered = max(values), self.powered[pool]
            self._row([*terms, (powered, -largest)], None, 0, row)
            for column, amount in terms:
                if largest % amount:
                    self._row([(column, 1), (powered, -(largest // amount))], None, 0, row)
            if min(values) < largest:
                self._row(terms, None, sum(values), row)
            self._large(terms, largest, powered, row)

    def _large(self, terms: Terms, largest: int, powered: int, row: Resource) -> None:
        """No node holds more than so many of all options of which it holds no more of any one."""
        at_most = {column: largest // amount for column, amount in terms}
        for most in sorted({number for number in at_most.values() if number <= LARGE}):
            large: Terms = [(column, 1) for column, number in at_most.items() if number <= most]
            if len(large) > 1:
                self._row([*large, (powered, -most)], None, 0, row)

    def _count(self, row: Count) -> None:
        terms = [(self.instances[name], 1) for name in row.options if name in self.instances]
        self._row(terms, row.lowest, row.highest, row, bounding=True)

    def _distinct(self, row: Distinct) -> None:
        alike = Counter(self._group(group) for group in row.groups)
        holds: Terms = []
        for (names, pool), number in alike.items():
            present = self._column(number)
            holds.append((present, 1))
            self._row([(present, 1), *((self.instances[name], -1) for name in names)], None, 0, row)
            if pool:
                self._row([(present, 1), (self.powered[pool], -1)], None, 0, row)
        holds += [(top, row.least) for top in self._tops(row.services)]
        self._row(holds, row.least, None, row, bounding=True)

    def _tops(self, services: Iterable[str]) -> list[int]:
        """The columns of the highest levels of some services, where they have any."""
        return [self.at_least[name, self._top[name]] for name in sorted(set(services)) if name in self._top]

    def _group(self, group: tuple[tuple[str, str], ...]) -> tuple[tuple[str, ...], str]:
        """The options of a group, and the pool when it is a single node of one."""
        nodes = {node for _, node in group}
        names = tuple(sorted({name for name, _ in group if name in self.instances}))
        return names, self.pool[nodes.pop()] if len(nodes) == 1 else ""

    def _exclusive(self, row: Exclusive) -> None:
        if members := [self.instances[name] for name in row.options if name in self.instances]:
            self.exclusive.append(members)

    def _gathered(self, row: Gathered) -> None:
        """A column for groups that have as many nodes of each pool: how many of them are used, which is one at most."""
        alike = Counter(tuple(sorted(Counter(self.pool[node] for node in group).items())) for group in row.groups)
        used = [(self._column(number), dict(shape)) for shape, number in alike.items()]
        self._row([(column, 1) for column, _ in used], None, 1, row)
        options: defaultdict[str, list[str]] = defaultdict(list)
        for name in (name for name in row.options if name in self.instances):
            options[self.problem.option(name).placement.pool].append(name)
        for pool, names in options.items():
            nodes = [(column, shape[pool]) for column, shape in used if pool in shape]
            for name in names:
                room = ((column, -MOST_INSTANCES * many) for column, many in nodes)
                self._row([(self.instances[name], 1), *room], None, 0, row)
            for resource, largest, use in self._rooms.get(pool, ()):
                taken = [(self.instances[name], use[name]) for name in names if use.get(name, 0)]
                room = ((column, -largest * many) for column, many in nodes)
                self._row([*taken, *room], None, 0, resource)

    def _flow(self, row: Flow) -> None:
        terms = [(self.share[path], factor) for path, factor in row.shares]
        terms += [(self.instances[name], factor) for name, factor in row.instances if name in self.instances]
        terms += [(self.unserved[demand], factor) for demand, factor in row.unserved]
        tops = self._tops(row.services)
        if not tops:
            self._row(terms, row.lowest, row.highest, row)
            return
        if row.highest is not None:
            most = sum(factor * self.upper[column] for column, factor in terms if factor > 0)
            self._row([*terms, *((top, min(0, row.highest - most)) for top in tops)], None, row.highest, row)
        if row.lowest is not None:
            least = sum(factor * self.upper[column] for column, factor in terms if factor < 0)
            self._row([*terms, *((top, max(0, row.lowest - least)) for top in tops)], row.lowest, None, row)

    def _budget(self, row: Budget) -> None:
        prices = by_pool(row.prices_millicents, self.pool)
        terms = [
            (self.powered[pool], min(values) * WHOLE_PERMILLE)
            for pool, values in prices.items()
            if len(values) == len(self.nodes[pool])
        ]
        terms += [(self.share[path], price) for path, price in row.carried_millicents]
        self._row(terms, None, row.ceiling_millicents * WHOLE_PERMILLE, row, bounding=True)

    def _ladder(self, row: Ladder) -> None:
        top = len(row.unserved_permille) - 1
        steps = [self._column(1) for _ in range(top)]
        for k, step in enumerate(steps, start=1):
            self.at_least[row.service, k] = step
            self._top[row.service] = k
        for lower, higher in itertools.pairwise(steps):
            self._row([(higher, 1), (lower, -1)], None, 0, row)
        for (_, level), terms in self._gated(row).items():
            self._row([*terms, (steps[level - 1], -WHOLE_PERMILLE)], None, 0, row)
        rises = [b - a for a, b in itertools.pairwise(row.unserved_permille)]
        allowed = [(step, -rise) for step, rise in zip(steps, rises, strict=True)]
        for demand in row.demands:
            self._row([(self.unserved[demand], 1), *allowed], None, row.unserved_permille[0], row)

    def _assurance(self, row: Assurance) -> None:
        for (service, k), column in self.at_least.items():
            if service == row.service and k > row.level:
                self.upper[column] = 0
        for demand, most in row.unserved_permille:
            self.upper[self.unserved[demand]] = min(most, self.upper[self.unserved[demand]])

    def _gated(self, row: Ladder) -> Mapping[tuple[str, int], Terms]:
        """By demand and level, the shares of all paths that open there or later: together a part of a whole."""
        found: defaultdict[tuple[str, int], Terms] = defaultdict(list)
        for path, opens in row.gates:
            for level in range(1, opens + 1):
                found[self.problem.path(path).demand, level].append((self.share[path], 1))
        return found

    def _penalty(self, row: Penalty) -> None:
        for pool, prices in by_pool(row.nodes, self.pool).items():
            self.cost[self.powered[pool]] += min(prices)
        for name, price in row.instances:
            if name in self.instances:
                self.cost[self.instances[name]] += price
        for demand, price in row.unserved:
            self.cost[self.unserved[demand]] += price
        for names, running, price in row.starts:
            started = self._column(MOST_INSTANCES * len(self.pool) + 1)
            self.started.append(started)
            self.cost[started] = price
            terms = [(self.instances[option], 1) for option in names if option in self.instances]
            self._row([*terms, (started, -1)], None, running, row)
        if row.carried:
            whole = self._column(sum(price for _, price in row.carried))
            self.carried.append(whole)
            self.cost[whole] = 1
            parts = [(self.share[path], price) for path, price in row.carried]
            self._row([*parts, (whole, -WHOLE_PERMILLE)], None, 0, row)
        for service, steps in row.levels:
            for k, price in enumerate(steps, start=1):
                self.cost[self.at_least[service, k]] += price
