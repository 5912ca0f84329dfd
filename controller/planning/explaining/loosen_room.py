"""More nodes: how many of each pool alone, or of the cheapest mix of pools, are enough."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from controller.planning.explaining.clauses import Clause, Edit
from controller.planning.explaining.loosening import MOST_STEPS, Loosening, smallest
from controller.planning.explaining.questions import Questions
from controller.planning.pooled.form import PooledRow
from controller.planning.pooled.linear import arrays, minimise, stacked
from controller.planning.pooled.rounding import NOTHING
from rules.kernel.formulation import Resource
from rules.kernel.problem import Node, Problem

MOST_POOLS: Final = 4
"""Where more pools than these are full, it is not tried for each whether growing it alone is enough."""
MOST_TIMES: Final = 10
"""A pool may grow by so many times the nodes of the whole fleet."""
SPARE: Final = (0.05, 0.2)
"""By these parts of the nodes there are a mix is larger than a linear programme needs: instances are whole."""


def more_room(asked: Questions, clauses: tuple[Clause, ...], base: Edit) -> Iterator[Loosening]:
    """More nodes: in each pool alone where the conflict has few, and in the cheapest mix of pools where it has many."""
    pools = tuple(dict.fromkeys(_pool(asked, clause) for clause in clauses))
    if len(pools) <= MOST_POOLS:
        for pool in pools:
            yield from _nodes(asked, pool, base)
        return
    needed = _nodes_needed(asked, pools, base)
    there = sum(node.pool in pools for node in asked.problem.nodes)
    for spare in SPARE if needed else ():
        by = {pool: count + math.ceil(spare * there / len(needed)) for pool, count in needed.items()}
        problem = asked.problem
        for pool, count in by.items():
            problem = grown(problem, pool, count)
        if asked.with_nodes(problem).possible(base):
            what = ", ".join(f"{count} in {pool}" for pool, count in by.items())
            added = problem.nodes[len(asked.problem.nodes) :]
            yield Loosening(f"{len(added)} more nodes: {what}", len(added), least=False, edit=base, nodes=added)
            return


def _nodes(asked: Questions, pool: str, base: Edit) -> Iterator[Loosening]:
    """More nodes of one pool."""
    needed = _nodes_needed(asked, (pool,), base)
    if not needed:
        return
    lowest = needed[pool]
    by = smallest(
        range(lowest, lowest + MOST_STEPS), lambda by: asked.with_nodes(grown(asked.problem, pool, by)).possible(base)
    )
    if by is not None:
        number = "one more node" if by[0] == 1 else f"{by[0]} more nodes"
        added = grown(asked.problem, pool, by[0]).nodes[len(asked.problem.nodes) :]
        yield Loosening(f"{number} in {pool}", by[0], by[1], base, added)


def grown(problem: Problem, pool: str, by: int) -> Problem:
    """The problem with more nodes in a pool."""
    known = {node.name for node in problem.nodes}
    names = (f"{pool}-more-{index}" for index in range(by + len(known)))
    added = tuple(Node(name, pool) for name in names if name not in known)[:by]
    return replace(problem, nodes=(*problem.nodes, *added))


def _pool(asked: Questions, clause: Clause) -> str:
    row = next(row for row in asked.rows_of[clause] if isinstance(row, Resource))
    return next(node.pool for node in asked.problem.nodes if node.name == row.capacity[0][0])


def _nodes_needed(asked: Questions, pools: tuple[str, ...], base: Edit) -> dict[str, int]:
    """The fewest more nodes that a linear programme needs, by pool; none when no number is enough."""
    programme = asked.programme(base)
    asked.meter.solved(programme.rows)
    form, rows, upper = programme.form, programme.rows, programme.narrow()
    most = MOST_TIMES * len(asked.problem.nodes)
    powered = [form.powered[pool] for pool in pools]
    upper[powered] += most
    upper[[form.instances[option.id] for pool in pools for option in form.options[pool]]] = np.inf
    columns = upper.size
    wider = [
        PooledRow([(column, 1), (columns + at, -1)], None, len(form.nodes[pool]))
        for at, (pool, column) in enumerate(zip(pools, powered, strict=True))
    ]
    cost = np.zeros(columns + len(pools))
    cost[columns:] = 1.0
    ends = np.concatenate((upper, np.full(len(pools), float(most))))
    solution = minimise(stacked(rows, arrays(wider, ends.size)), cost, ends)
    if solution is None:
        return {}
    counts = {pool: math.ceil(more - NOTHING) for pool, more in zip(pools, solution.value[columns:], strict=True)}
    return {pool: max(count, 1 if len(pools) == 1 else 0) for pool, count in counts.items() if count or len(pools) == 1}
