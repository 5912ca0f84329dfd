"""A plan over pools of which all stays as it is, but for what one placement carries."""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from controller.planning.build import write
from controller.planning.objective import links_per_hour, prices
from controller.planning.pooled.form import PooledForm, PooledRow
from controller.planning.pooled.linear import Floats, Matrix, matrix, minimise
from controller.planning.pooled.needed import Bools, Needed
from rules.kernel.formulation import Distinct, Penalty
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem

NOTHING: Final = 1e-6


class Moved(NamedTuple):
    """What is done without a placement: more permille by path, what more is paid, and who is refused more."""

    moved: dict[str, float]
    price: float
    starts: float
    links: float
    gives_up: tuple[str, ...]


class _Led(NamedTuple):
    """Rows, and the column that each is about."""

    rows: Matrix
    column: NDArray[np.int64]
    weight: Floats
    """The size of that column's factor, divided as the row is."""


class Rest:
    """The pooled form of a problem with a plan's values in it. Nothing else of the plan is taken away or set anew."""

    def __init__(self, problem: Problem, plan: Plan, running: Plan) -> None:
        self.problem, self.plan = problem, plan
        form = write(problem)
        form.add(prices(problem, running))
        self._pooled = PooledForm(form, problem)
        self._rows = matrix(self._pooled)
        self._columns = csc_array(self._rows.factors)
        self._needed = Needed(self._rows)
        self._value = self._of_plan()
        self._cost = np.array(self._pooled.cost, np.float64)
        self._plan_starts = self._starts_of_plan()
        self._plan_links = links_per_hour(plan, problem)
        self._free = self._that_can_grow()
        self._starts = self._led(lambda row: isinstance(row.source, Penalty), -1)
        self._groups = self._led(lambda row: isinstance(row.source, Distinct) and not row.bounding, 0)
        self._bought = np.array([*self._pooled.powered.values(), *self._pooled.instances.values()], np.int64)
        self._share_columns = np.array(list(self._pooled.share.values()), np.int64)
        self._shares: defaultdict[str, list[int]] = defaultdict(list)
        for path in problem.paths:
            self._shares[path.demand].append(self._pooled.share[path.id])
        self._options: defaultdict[Placement, list[str]] = defaultdict(list)
        for option in problem.options:
            self._options[option.placement].append(option.id)

    def _of_plan(self) -> Floats:
        """The plan's value of each column; not a number where the form has a column of its own."""
        pooled, plan = self._pooled, self.plan
        value = np.full(len(pooled.upper), np.nan)
        for columns in (pooled.powered, pooled.instances, pooled.share, pooled.unserved):
            value[list(columns.values())] = 0
        for item in plan.instances:
            value[pooled.instances[item.option]] += item.count
        for node in plan.powered():
            value[pooled.powered[pooled.pool[node]]] += 1
        for route in plan.routes:
            value[pooled.share[route.path]] += route.share_permille
        for refused in plan.unserved:
            value[pooled.unserved[refused.demand]] += refused.share_permille
        for (service, k), column in pooled.at_least.items():
            value[column] = plan.level(service) >= k
        return value

    def _led(self, wanted: Callable[[PooledRow], bool], place: int) -> "_Led":
        """The rows that are wanted, each with the column of its term at a place."""
        at = [number for number, row in enumerate(self._pooled.rows) if wanted(row)]
        columns = np.array([self._pooled.rows[number].terms[place][0] for number in at], np.int64)
        factors = np.array([abs(self._pooled.rows[number].terms[place][1]) for number in at], np.float64)
        rows = self._rows
        chosen = Matrix(rows.factors[at], rows.scale[at], rows.lowest[at], rows.highest[at])
        return _Led(chosen, columns, factors / rows.scale[at])

    def _that_can_grow(self) -> Bools:
        """[columns]: nodes, and instances of what the plan has or of what it does not set otherwise."""
        pooled, used = self._pooled, self.plan.used_options()
        is_set = {self.problem.option(name).placement for name in used}
        free = np.isnan(self._value)
        free[list(pooled.powered.values())] = True
        options = (o.id for o in self.problem.options if o.placement not in is_set or o.id in used)
        free[[pooled.instances[name] for name in options]] = True
        return free

    def without(self, placement: Placement, demands: frozenset[str]) -> Moved | None:
        """The cheapest way to serve these demands without a placement; None when none was found."""
        pooled = self._pooled
        lower, upper = np.nan_to_num(self._value, nan=0.0), np.array(pooled.upper, np.float64)
        own = self._options[placement]
        open_ = [column for name in demands for column in (*self._shares[name], pooled.unserved[name])]
        levels = [column for (service, _), column in pooled.at_least.items() if self._serves(service, demands)]
        free = self._free.copy()
        free[[*open_, *levels]] = True
        lower[open_] = 0
        for name in own:
            lower[pooled.instances[name]] = upper[pooled.instances[name]] = 0
        lower[pooled.powered[placement.pool]] -= self._alone(set(own))
        self._settle(lower)
        value = self._cheapest(lower, upper, free & (lower < upper))
        return None if value is None else self._moved(value)

    def _settle(self, lower: Floats) -> None:
        """Raise what is of the form alone to what the plan's part says of it: groups that are held, starts, links."""
        starts, groups = self._starts, self._groups
        lower[starts.column] = np.maximum(0, starts.rows.factors @ lower - starts.rows.highest) / starts.weight
        held = np.full(lower.size, np.inf)
        np.minimum.at(held, groups.column, -(groups.rows.factors @ lower) * groups.rows.scale)
        lower[groups.column] = held[groups.column]

    def _cheapest(self, lower: Floats, upper: Floats, free: Bools) -> Floats | None:
        """The columns' values where only those that are free may rise."""
        columns = np.flatnonzero(self._needed.columns(lower, free))
        part = self._columns[:, columns]
        touched = np.unique(part.indices)
        there = self._rows.factors @ lower
        lowest, highest = self._rows.lowest - there, self._rows.highest - there
        is_broken = (lowest > NOTHING) | (highest < -NOTHING)
        is_broken[touched] = False
        if is_broken.any():
            return None
        rows = Matrix(csr_array(part)[touched], self._rows.scale[touched], lowest[touched], highest[touched])
        solution = minimise(rows, self._cost[columns], upper[columns] - lower[columns])
        if solution is None:
            return None
        value = lower.copy()
        value[columns] += solution.value
        return value

    def _serves(self, service: str, demands: frozenset[str]) -> bool:
        return any(self.problem.demand(name).service == service for name in demands)

    def _alone(self, options: set[str]) -> int:
        """The nodes that hold nothing but these options."""
        held = Counter(item.node for item in self.plan.instances)
        own = Counter(item.node for item in self.plan.instances if item.option in options)
        return sum(count == held[node] for node, count in own.items())

    def _moved(self, then: Floats) -> Moved:
        pooled = self._pooled
        more = then[self._share_columns] - self._value[self._share_columns]
        moved = {self.problem.paths[at].id: float(more[at]) for at in np.flatnonzero(more > NOTHING)}
        bought = self._bought
        price = float(self._cost[bought] @ (then[bought] - self._value[bought]))
        starts = float(self._cost[pooled.started] @ then[pooled.started]) - self._plan_starts
        links = float(self._cost[pooled.carried] @ then[pooled.carried]) - self._plan_links
        refused = (name for name, c in pooled.unserved.items() if then[c] - self._value[c] > NOTHING)
        gives_up = tuple(sorted({self.problem.demand(name).service for name in refused}))
        return Moved(moved, price, starts, links, gives_up)

    def _starts_of_plan(self) -> float:
        """What the plan itself pays for starts."""
        total, started = 0.0, frozenset(self._pooled.started)
        for row in self._pooled.rows:
            column = row.terms[-1][0] if row.terms else -1
            if column in started:
                begun = sum(self._value[c] for c, _ in row.terms[:-1]) - (row.highest or 0)
                total += self._cost[column] * max(0.0, begun)
        return total
