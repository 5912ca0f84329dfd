"""A plan over pools of which all stays as it is, but for what one placement carries."""

from collections import Counter
from typing import Final, NamedTuple

import numpy as np

from controller.planning.build import write
from controller.planning.objective import prices
from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.linear import Floats, matrix, minimise
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem

NOTHING: Final = 1e-6


class Moved(NamedTuple):
    """What is done without a placement: more permille by path, what more is paid, and who is refused more."""

    moved: dict[str, float]
    price: float
    starts: float
    gives_up: tuple[str, ...]


class Rest:
    """The pooled form of a problem with a plan's values in it. Nothing else of the plan is taken away or set anew."""

    def __init__(self, problem: Problem, plan: Plan, running: Plan) -> None:
        self.problem, self.plan = problem, plan
        form = write(problem)
        form.add(prices(problem, running))
        self._pooled = PooledForm(form, problem)
        self._rows = matrix(self._pooled)
        self._value = self._of_plan()
        self._cost = np.array(self._pooled.cost, np.float64)
        self._plan_starts = self._starts_of_plan()
        self._set = {problem.option(name).placement for name in plan.used_options()}

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

    def without(self, placement: Placement, demands: frozenset[str]) -> Moved | None:
        """The cheapest way to serve these demands without a placement; None when none was found."""
        pooled, value = self._pooled, self._value
        lower, upper = np.nan_to_num(value, nan=0.0), np.array(pooled.upper, np.float64)
        own = [o.id for o in self.problem.options if o.placement == placement]
        open_ = [pooled.share[p.id] for p in self.problem.paths if p.demand in demands]
        open_ += [pooled.unserved[name] for name in demands]
        fixed = np.ones(len(upper), bool)
        fixed[open_] = False
        fixed[np.isnan(value)] = False
        free = [o.id for o in self.problem.options if o.placement not in self._set or o.id in self.plan.used_options()]
        fixed[[pooled.instances[name] for name in free]] = False
        fixed[list(pooled.powered.values())] = False
        fixed[[column for (service, _), column in pooled.at_least.items() if self._serves(service, demands)]] = False
        upper[fixed] = lower[fixed]
        lower[open_] = 0
        for name in own:
            lower[pooled.instances[name]] = upper[pooled.instances[name]] = 0
        lower[pooled.powered[placement.pool]] -= self._alone(set(own))
        solution = minimise(self._rows, self._cost, upper, lower)
        return None if solution is None else self._moved(solution.value)

    def _serves(self, service: str, demands: frozenset[str]) -> bool:
        return any(self.problem.demand(name).service == service for name in demands)

    def _alone(self, options: set[str]) -> int:
        """The nodes that hold nothing but these options."""
        held = Counter(item.node for item in self.plan.instances)
        own = Counter(item.node for item in self.plan.instances if item.option in options)
        return sum(count == held[node] for node, count in own.items())

    def _moved(self, then: Floats) -> Moved:
        pooled = self._pooled
        more = {path: float(then[c] - self._value[c]) for path, c in pooled.share.items()}
        bought = [*pooled.powered.values(), *pooled.instances.values()]
        price = float(self._cost[bought] @ (then[bought] - self._value[bought]))
        starts = float(self._cost[pooled.started] @ then[pooled.started]) - self._plan_starts
        refused = (name for name, c in pooled.unserved.items() if then[c] - self._value[c] > NOTHING)
        gives_up = tuple(sorted({self.problem.demand(name).service for name in refused}))
        return Moved({path: part for path, part in more.items() if part > NOTHING}, price, starts, gives_up)

    def _starts_of_plan(self) -> float:
        """What the plan itself pays for starts."""
        total, started = 0.0, frozenset(self._pooled.started)
        for row in self._pooled.rows:
            column = row.terms[-1][0] if row.terms else -1
            if column in started:
                begun = sum(self._value[c] for c, _ in row.terms[:-1]) - (row.highest or 0)
                total += self._cost[column] * max(0.0, begun)
        return total
