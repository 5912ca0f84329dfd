"""A plan from a solution of the linear programme: one setting a placement, shares in permille, whole instances.

A cheap way to a plan that keeps every row on fleets where CP-SAT is too slow; where it finds none there may be one.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.linear import Floats, minimise
from controller.planning.pooled.nodes import on_nodes
from controller.planning.pooled.programme import Programme
from controller.planning.whole.reading import kept
from rules.kernel.formulation import Flow, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE

NOTHING: Final = 1e-6
USED_FIRST: Final = (0.75, 0.8, 0.85, 0.9, 0.97, 1.0)
"""The part of each pool's nodes that is planned on, so that there is room for what is rounded up."""


def rounded(
    form: Formulation, programme: Programme, cost: Floats, value: Floats, *, tight: bool = False
) -> Plan | None:
    """A plan near a solution; None when rounding breaks a row. A tight one leaves few nodes of a pool idle."""
    pooled, upper = programme.form, programme.upper.copy()
    upper[list(_other_settings(pooled, value))] = 0
    powered = list(pooled.powered.values())
    nodes = upper[powered]
    for part in reversed(USED_FIRST) if tight else USED_FIRST:
        upper[powered] = part * nodes
        solution = minimise(programme.rows, cost, upper)
        if solution is None:
            continue
        plan = on_nodes(form, pooled, _whole(form, pooled, solution.value))
        if plan is not None and kept(form, plan):
            return plan
    return None


def _other_settings(pooled: PooledForm, value: Floats) -> Iterable[int]:
    """The columns of the options that a more used one excludes."""
    for members in pooled.exclusive:
        chosen = max(members, key=lambda column: (value[column], -column))
        yield from (column for column in members if column != chosen)


def _whole(form: Formulation, pooled: PooledForm, value: Floats) -> list[int]:
    """The values in whole numbers: shares that still add up, and as many instances as they need."""
    values = np.ceil(value - NOTHING).astype(np.int64)
    demands = {demand: [column] for demand, column in pooled.unserved.items()}
    for path in pooled.problem.paths:
        demands[path.demand].append(pooled.share[path.id])
    for columns in demands.values():
        values[columns] = _permille(value[columns])
    for row in form.rows:
        if isinstance(row, Flow) and len(row.instances) == 1 and row.highest is not None and not row.unserved:
            name, answers = row.instances[0]
            if name in pooled.instances and answers < 0:
                asked = sum(factor * int(values[pooled.share[path]]) for path, factor in row.shares) - row.highest
                column = pooled.instances[name]
                values[column] = max(values[column], -(asked // answers))
    return [int(item) for item in values]


def _permille(parts: Floats) -> Floats:
    """Whole numbers that sum to 1000, each less than one away from its part."""
    down = np.floor(parts + NOTHING)
    missing = WHOLE_PERMILLE - int(down.sum())
    down[np.argsort(down - parts, kind="stable")[: max(0, missing)]] += 1
    return down
