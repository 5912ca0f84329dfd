"""CP-SAT reads the form: one translator for each kind of row, and no rule is known here.

Unknowns: instances n[option, node], powered y[node], share[path] and unserved[demand] in permille, and for each service
with a ladder a chain of switches level >= k.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ortools.sat.python import cp_model

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
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved
from rules.kernel.problem import WHOLE_PERMILLE, Problem

MEDIAN_BP: Final = 5000
Ranges = Mapping[str, tuple[int, int]]
"""By path, the least and the most permilles that it may carry."""
MOST_INSTANCES: Final = 64
"""Instances of one option on one node that are considered when no resource row bounds them."""


class CpSatForm:
    """A Formulation as a CP-SAT model, with the unknowns by name and the way back to a Plan."""

    def __init__(self, form: Formulation, problem: Problem) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.cost: list[tuple[cp_model.IntVar, int]] = []
        self.given_up: list[tuple[cp_model.IntVar, int]] = []
        """The part of the cost that is for degrading and refusing."""
        bounds = _instance_bounds(form, problem)
        self.instances = {
            (option.id, node.name): self.model.new_int_var(
                0, bounds[option.id, node.name], f"n {option.id} {node.name}"
            )
            for option in problem.options
            for node in problem.nodes_of(option.placement.pool)
        }
        self.by_option: dict[str, list[tuple[str, cp_model.IntVar]]] = {option.id: [] for option in problem.options}
        self.by_node: dict[str, list[tuple[str, cp_model.IntVar]]] = {node.name: [] for node in problem.nodes}
        for (option_id, node_name), count in self.instances.items():
            self.by_option[option_id].append((node_name, count))
            self.by_node[node_name].append((option_id, count))
        self.powered = {node.name: self.model.new_bool_var(f"on {node.name}") for node in problem.nodes}
        self.share = {path.id: self._permille(f"share {path.id}") for path in problem.paths}
        self.unserved = {demand.id: self._permille(f"unserved {demand.id}") for demand in problem.demands}
        self.at_least: dict[tuple[str, int], cp_model.IntVar] = {}
        self._link_power()
        writers = self._writers()
        for row in sorted(form.rows, key=lambda row: not isinstance(row, Ladder)):
            writers[type(row)](row)
        self.model.minimize(_weighted(self.cost))

    def _permille(self, name: str) -> cp_model.IntVar:
        return self.model.new_int_var(0, WHOLE_PERMILLE, name)

    def _link_power(self) -> None:
        for name, powered in self.powered.items():
            here = self.by_node[name]
            for _, count in here:
                self.model.add(count == 0).only_enforce_if(~powered)
            self.model.add(_weighted((count, 1) for _, count in here) >= 1).only_enforce_if(powered)

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

    def total(self, option_ids: Iterable[str]) -> cp_model.LinearExpr:
        """Instances over these options and all nodes."""
        return _weighted((count, 1) for option_id in option_ids for _, count in self.by_option.get(option_id, ()))

    def _exclusion(self, row: Exclusion) -> None:
        if row.path:
            self.model.add(self.share[row.path] == 0)
        elif row.demand:
            demand = self.problem.demand(row.demand)
            stages = [stage.name for stage in self.problem.service_of(demand).stages]
            at = stages.index(row.stage)
            for path in self.problem.paths:
                if path.demand == row.demand and path.options[at] == row.option:
                    self.model.add(self.share[path.id] == 0)
        else:
            self.model.add(self.total([row.option]) == 0)

    def _resource(self, row: Resource) -> None:
        use = dict(row.use)
        for node, capacity in row.capacity:
            terms = ((count, use[option]) for option, count in self.by_node.get(node, ()) if option in use)
            self.model.add(_weighted(terms) <= capacity)

    def _count(self, row: Count) -> None:
        total = self.total(row.options)
        self.model.add(total >= row.lowest)
        if row.highest is not None:
            self.model.add(total <= row.highest)

    def _distinct(self, row: Distinct) -> None:
        holds = []
        for index, group in enumerate(row.groups):
            present = self.model.new_bool_var(f"group {index}")
            members = _weighted((self.instances[key], 1) for key in group if key in self.instances)
            self.model.add(members >= 1).only_enforce_if(present)
            holds.append(present)
        self._asked_of(row.services, self.model.add(_weighted((present, 1) for present in holds) >= row.least))

    def _asked_of(self, services: Iterable[str], asked: cp_model.Constraint) -> None:
        """Ask a row of services only below the highest level of their ladders, where they have one."""
        tops = {name: k for name, k in sorted(self.at_least) if name in services}
        if tops:
            asked.only_enforce_if([~self.at_least[top] for top in tops.items()])

    def _exclusive(self, row: Exclusive) -> None:
        used = []
        for option_id in row.options:
            chosen = self.model.new_bool_var(f"used {option_id}")
            self.model.add(self.total([option_id]) == 0).only_enforce_if(~chosen)
            used.append(chosen)
        self.model.add_at_most_one(used)

    def _gathered(self, row: Gathered) -> None:
        options, used = frozenset(row.options), []
        for index, group in enumerate(row.groups):
            chosen = self.model.new_bool_var(f"gathered {index}")
            here = ((count, 1) for node in group for option, count in self.by_node.get(node, ()) if option in options)
            self.model.add(_weighted(here) == 0).only_enforce_if(~chosen)
            used.append(chosen)
        self.model.add_at_most_one(used)

    def _flow(self, row: Flow) -> None:
        value = _weighted(
            [(self.share[path], factor) for path, factor in row.shares]
            + [(count, factor) for option, factor in row.instances for _, count in self.by_option.get(option, ())]
            + [(self.unserved[demand], factor) for demand, factor in row.unserved]
        )
        if row.lowest is not None:
            self._asked_of(row.services, self.model.add(value >= row.lowest))
        if row.highest is not None:
            self._asked_of(row.services, self.model.add(value <= row.highest))

    def _budget(self, row: Budget) -> None:
        whole = [(self.powered[node], price) for node, price in row.prices_millicents]
        if row.carried_millicents:
            parts = [(self.share[path], price) for path, price in row.carried_millicents]
            thousandths = [(powered, price * WHOLE_PERMILLE) for powered, price in whole]
            self.model.add(_weighted([*thousandths, *parts]) <= row.ceiling_millicents * WHOLE_PERMILLE)
        else:
            self.model.add(_weighted(whole) <= row.ceiling_millicents)

    def _ladder(self, row: Ladder) -> None:
        top = len(row.unserved_permille) - 1
        steps = [self.model.new_bool_var(f"{row.service} level {k}") for k in range(1, top + 1)]
        for k, step in enumerate(steps, start=1):
            self.at_least[row.service, k] = step
        for lower, higher in itertools.pairwise(steps):
            self.model.add_implication(higher, lower)
        for path, level in row.gates:
            self.model.add(self.share[path] == 0).only_enforce_if(~steps[level - 1])
        rises = [row.unserved_permille[k] - row.unserved_permille[k - 1] for k in range(1, top + 1)]
        most = _weighted(zip(steps, rises, strict=True)) + row.unserved_permille[0]
        for demand in row.demands:
            self.model.add(self.unserved[demand] <= most)

    def _assurance(self, row: Assurance) -> None:
        for (service, k), step in self.at_least.items():
            if service == row.service and k > row.level:
                self.model.add(step == 0)
        for demand, most in row.unserved_permille:
            self.model.add(self.unserved[demand] <= most)

    def _penalty(self, row: Penalty) -> None:
        self.cost += [(self.powered[node], price) for node, price in row.nodes]
        self.cost += [(count, price) for option, price in row.instances for _, count in self.by_option[option]]
        self._give_up((self.unserved[demand], price) for demand, price in row.unserved)
        for options, running, price in row.starts:
            started = self.model.new_int_var(0, MOST_INSTANCES * len(self.powered) + 1, f"started {options[0]}")
            self.model.add(started >= self.total(options) - running)
            self.cost.append((started, price))
        if row.carried:
            self.cost.append((self._rounded_up(row.carried), 1))
        for service, prices in row.levels:
            self._give_up((self.at_least[service, k], price) for k, price in enumerate(prices, start=1))

    def _give_up(self, terms: Iterable[tuple[cp_model.IntVar, int]]) -> None:
        listed = list(terms)
        self.cost += listed
        self.given_up += listed

    def _rounded_up(self, carried: Iterable[tuple[str, int]]) -> cp_model.IntVar:
        """A whole number that is at least the sum of the prices of what paths carry."""
        parts = [(self.share[path], price) for path, price in carried]
        whole = self.model.new_int_var(0, sum(price for _, price in parts), "carried")
        self.model.add(_weighted(parts) <= WHOLE_PERMILLE * whole)
        return whole

    def hint(self, plan: Plan) -> None:
        """Start the search from a plan, and from no other."""
        self.model.proto.clear_solution_hint()
        for unknown, value in self.assign(plan):
            self.model.add_hint(unknown, value)

    def cost_at_most(self, cost: int) -> None:
        """Look at no plan that costs more."""
        self.model.add(_weighted(self.cost) <= cost)

    def keep_within(self, ranges: Ranges) -> None:
        """Look at no other shares than those within these ends, by path; all are looked at again for none."""
        for path, share in self.share.items():
            least, most = ranges.get(path, (0, WHOLE_PERMILLE))
            domain = share.proto.domain
            domain[0], domain[1] = least, most

    def prefer_least_given_up(self) -> None:
        """Minimise what degrading and refusing cost, whatever else does."""
        self.model.minimize(_weighted(self.given_up))

    def prefer_cheapest(self, given_up: int) -> None:
        """Minimise the rest of the cost, among plans that give up no more than this."""
        self.model.add(_weighted(self.given_up) <= given_up)
        self.model.minimize(_weighted(self.cost) - _weighted(self.given_up))

    def prefer_soonest(self, cost: int) -> None:
        """Minimise the sum of rate times typical latency over what is served, among plans of at most this cost."""
        self.cost_at_most(cost)
        rates = {demand.id: demand.rate_milli_rps for demand in self.problem.demands}
        self.model.minimize(
            _weighted(
                (self.share[path.id], path.latency_at_us(MEDIAN_BP) * rates[path.demand] // 1_000_000)
                for path in self.problem.paths
            )
        )

    def assign(self, plan: Plan) -> list[tuple[cp_model.IntVar, int]]:
        """Every unknown with its value in a plan, for hints and for fixing; what the plan does not name is 0."""
        counts: dict[tuple[str, str], int] = {}
        for item in plan.instances:
            counts[item.option, item.node] = counts.get((item.option, item.node), 0) + item.count
        shares: dict[str, int] = {}
        for route in plan.routes:
            shares[route.path] = shares.get(route.path, 0) + route.share_permille
        powered = plan.powered()
        return [
            *((count, counts.get(key, 0)) for key, count in self.instances.items()),
            *((on, int(node in powered)) for node, on in self.powered.items()),
            *((share, shares.get(path, 0)) for path, share in self.share.items()),
            *((share, plan.unserved_permille(demand)) for demand, share in self.unserved.items()),
            *((step, int(plan.level(service) >= k)) for (service, k), step in self.at_least.items()),
        ]

    def plan(self, value: Callable[[cp_model.IntVar], int]) -> Plan:
        """The plan that a solution stands for, in a fixed order."""
        levels: dict[str, int] = {}
        for (service, _), step in self.at_least.items():
            levels[service] = levels.get(service, 0) + value(step)
        return Plan(
            instances=tuple(sorted(Instances(*key, value(n)) for key, n in self.instances.items() if value(n))),
            routes=tuple(sorted(Route(path, value(share)) for path, share in self.share.items() if value(share))),
            unserved=tuple(
                sorted(Unserved(name, value(share)) for name, share in self.unserved.items() if value(share))
            ),
            degraded=tuple(sorted(Degraded(service, level) for service, level in levels.items() if level)),
        )


def accepts(form: Formulation, problem: Problem, plan: Plan) -> bool:
    """Whether the plan keeps every row; soft rows aside. A plan that names what the problem lacks is not accepted."""
    engine = CpSatForm(form, problem)
    if not _known(plan, engine):
        return False
    for unknown, value in engine.assign(plan):
        engine.model.add(unknown == value)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    return solver.solve(engine.model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)


def _known(plan: Plan, engine: CpSatForm) -> bool:
    tops: dict[str, int] = {}
    for service, k in engine.at_least:
        tops[service] = max(k, tops.get(service, 0))
    return (
        all((item.option, item.node) in engine.instances for item in plan.instances)
        and all(item.path in engine.share for item in plan.routes)
        and all(item.demand in engine.unserved for item in plan.unserved)
        and all(0 <= item.level <= tops.get(item.service, 0) for item in plan.degraded)
    )


def _instance_bounds(form: Formulation, problem: Problem) -> dict[tuple[str, str], int]:
    bounds = {
        (option.id, node.name): MOST_INSTANCES
        for option in problem.options
        for node in problem.nodes_of(option.placement.pool)
    }
    for row in form.rows:
        if isinstance(row, Resource):
            for option_id, used in row.use:
                for node, capacity in row.capacity if used > 0 else ():
                    if (option_id, node) in bounds:
                        bounds[option_id, node] = max(0, min(bounds[option_id, node], capacity // used))
    return bounds


def _weighted(terms: Iterable[tuple[cp_model.IntVar, int]]) -> cp_model.LinearExpr:
    """The sum of factor * unknown; a constant 0 when there are no terms."""
    listed = list(terms)
    return cp_model.LinearExpr.weighted_sum([unknown for unknown, _ in listed], [factor for _, factor in listed])
