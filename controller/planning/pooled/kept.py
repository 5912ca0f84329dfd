"""Whether a plan keeps every row of a form, counted from the plan alone: for plans that no exact engine made."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from rules.kernel.formulation import (
    Budget,
    Count,
    Distinct,
    Exclusion,
    Exclusive,
    Flow,
    Formulation,
    Ladder,
    Penalty,
    Resource,
    Row,
)
from rules.kernel.plan import Plan


class _Standing:
    """A plan's numbers by name, and the services that are at best effort."""

    def __init__(self, form: Formulation, plan: Plan) -> None:
        self.on: dict[str, list[tuple[str, int]]] = {}
        self.total = Counter[str]()
        for item in plan.instances:
            self.on.setdefault(item.node, []).append((item.option, item.count))
            self.total[item.option] += item.count
        self.holds = {(item.option, item.node) for item in plan.instances if item.count}
        self.share = Counter[str]()
        for route in plan.routes:
            self.share[route.path] += route.share_permille
        self.unserved = Counter({item.demand: item.share_permille for item in plan.unserved})
        self.level = {item.service: item.level for item in plan.degraded}
        ladders = [row for row in form.rows if isinstance(row, Ladder) and len(row.unserved_permille) > 1]
        self.best_effort = {r.service for r in ladders if self.level.get(r.service, 0) >= len(r.unserved_permille) - 1}


def kept(form: Formulation, plan: Plan) -> bool:
    """Whether the plan keeps all rows. What excludes a use is left to the problem, which has no path through it."""
    standing = _Standing(form, plan)
    return all(_KEPT[type(row)](row, standing) for row in form.rows)


def _exclusion(row: Exclusion, standing: _Standing) -> bool:
    return not standing.share[row.path] if row.path else bool(row.demand) or not standing.total[row.option]


def _resource(row: Resource, standing: _Standing) -> bool:
    use = dict(row.use)
    return all(
        sum(use.get(option, 0) * count for option, count in standing.on.get(node, ())) <= capacity
        for node, capacity in row.capacity
    )


def _count(row: Count, standing: _Standing) -> bool:
    total = sum(standing.total[option] for option in row.options)
    return row.lowest <= total and (row.highest is None or total <= row.highest)


def _distinct(row: Distinct, standing: _Standing) -> bool:
    if row.service in standing.best_effort:
        return True
    return sum(any(key in standing.holds for key in group) for group in row.groups) >= row.least


def _exclusive(row: Exclusive, standing: _Standing) -> bool:
    return sum(standing.total[option] > 0 for option in row.options) <= 1


def _flow(row: Flow, standing: _Standing) -> bool:
    value = sum(factor * standing.share[path] for path, factor in row.shares)
    value += sum(factor * standing.total[option] for option, factor in row.instances)
    value += sum(factor * standing.unserved[demand] for demand, factor in row.unserved)
    return (row.lowest is None or row.lowest <= value) and (row.highest is None or value <= row.highest)


def _budget(row: Budget, standing: _Standing) -> bool:
    return sum(price for node, price in row.prices_millicents if node in standing.on) <= row.ceiling_millicents


def _ladder(row: Ladder, standing: _Standing) -> bool:
    level = standing.level.get(row.service, 0)
    early = any(standing.share[path] for path, least in row.gates if level < least)
    return not early and all(standing.unserved[demand] <= row.unserved_permille[level] for demand in row.demands)


def _penalty(_row: Penalty, _standing: _Standing) -> bool:
    return True


_KEPT: dict[type[Row], Callable[[Any, _Standing], bool]] = {
    Exclusion: _exclusion,
    Resource: _resource,
    Count: _count,
    Distinct: _distinct,
    Exclusive: _exclusive,
    Flow: _flow,
    Budget: _budget,
    Ladder: _ladder,
    Penalty: _penalty,
}
