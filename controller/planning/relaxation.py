"""What would end a conflict: for each of its clauses the smallest loosening with which everything is served.

Ceilings go up to what a plan needs; counts change by whole instances, sites and nodes; a pool has more nodes; a limit
on paths goes up to the prediction of the best path that it bars; of what bars uses, one reason falls away.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from controller.decision import Proof
from controller.planning.clauses import Clause, Edit, changing, only
from controller.planning.conflict import Conflict, about
from controller.planning.meter import A_PLAN, A_PRICE
from controller.planning.objective import cost_of, price_per_hour
from controller.planning.part import Part
from controller.planning.pooled.form import PooledRow, by_pool
from controller.planning.pooled.linear import arrays, minimise, stacked
from controller.planning.pooled.programme import lean
from controller.planning.pooled.rounding import NOTHING, rounded
from controller.planning.questions import Questions
from controller.planning.solve import solve
from controller.planning.whole.size import is_small
from rules.kernel.formulation import Budget, Count, Distinct, Exclusion, Flow, Formulation, Penalty, Resource, Row
from rules.kernel.problem import WHOLE_PERMILLE, Node, Problem
from rules.kernel.quantities import dollars_per_hour, milliseconds, percentile

MOST_STEPS: Final = 64
"""Counts are loosened by at most so many; a pool grows by at most so many nodes above what pools alone tell."""
MOST_POOLS: Final = 4
"""Where more pools than these are full, it is not tried for each whether growing it alone is enough."""
MOST_TIMES: Final = 10
"""A pool may grow by so many times the nodes of the whole fleet."""
WORK_LIMIT: Final = 1.0
"""Deterministic time of a plan that serves everything, or of the least that a budget needs."""
SPARE: Final = (0.05, 0.2)
"""By these parts of the nodes there are a mix is larger than a linear programme needs: instances are whole."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One loosening that is enough: of which clause, in words, by how much, and what the plan then costs an hour.

    `least` tells whether a little less is proven not to be enough. The cost is None where no plan was found, and a
    bound from below where `about` is true.
    """

    clause: Clause
    what: str
    amount: int
    least: bool
    cost_millicents_per_hour: int | None
    about: bool


@dataclass(frozen=True, slots=True)
class _Loosening:
    """A change that is enough: of rows, or by nodes that are added."""

    what: str
    amount: int
    least: bool
    edit: Edit
    nodes: tuple[Node, ...] = ()


def relaxations(questions: Questions, conflict: Conflict) -> tuple[Relaxation, ...]:
    """The smallest loosenings that end a conflict, those first with which the plan costs least."""
    if not conflict.clauses:
        return ()
    services = frozenset(conflict.services)
    asked, clauses = about(questions, Part(services, frozenset(conflict.clauses)))
    everything = only(clauses)
    room = {clause for clause, rows in asked.rows_of.items() if isinstance(rows[0], Resource)}
    full = tuple(clause for clause in conflict.clauses if clause in room)
    loosenings = [(full[0], item) for item in _room(asked, full, everything)] if full else []
    for clause in (clause for clause in conflict.clauses if clause not in room):
        loosenings += [(clause, item) for item in _loosenings(asked, questions, clause, everything)]
    found = []
    for clause, item in loosenings:
        cost, rough = _cost(questions, item) if not questions.meter.is_over else (None, True)
        found.append(Relaxation(clause, item.what, item.amount, item.least, cost, rough))
    return tuple(sorted(found, key=lambda item: (item.cost_millicents_per_hour or 0, item.clause, item.what)))


def _loosenings(asked: Questions, whole: Questions, clause: Clause, base: Edit) -> Iterator[_Loosening]:
    """Loosenings of a clause, looked for in a part of the whole; they change its rows in both."""
    rows = asked.rows_of[clause]
    kind = type(rows[0])
    if kind is Budget:
        yield from _ceiling(asked, clause, base)
    elif kind in {Count, Distinct}:
        yield from _counts(asked, clause, base, rows)
    elif kind is Flow:
        yield from _without(asked, clause, base)
    elif any(isinstance(row, Exclusion) and row.path for row in rows):
        yield from _limit(asked, whole, clause, base)
    elif kind is Exclusion:
        yield from _reasons(asked, clause, base, rows)


def _without(asked: Questions, clause: Clause, base: Edit) -> Iterator[_Loosening]:
    """The clause taken out, where that is enough."""
    edit = changing(clause, base, lambda _: None)
    if asked.possible(edit):
        yield _Loosening("take the clause out", 1, least=False, edit=edit)


def _ceiling(asked: Questions, clause: Clause, base: Edit) -> Iterator[_Loosening]:
    """As much more money as the cheapest plan that serves everything needs."""
    row = next(row for row in asked.rows_of[clause] if isinstance(row, Budget))
    spent = _least_spent(asked, changing(clause, base, lambda _: None), row)
    if spent is not None:
        needed, least = spent
        more = needed - row.ceiling_millicents
        if more <= 0:
            return
        edit = _with_ceiling(clause, base, needed)
        least = least or (asked.is_decidable(edit) and asked.possible(_with_ceiling(clause, base, needed - 1)) is False)
        yield _Loosening(f"raise the ceiling by {dollars_per_hour(more)}", more, least, edit)


def _with_ceiling(clause: Clause, base: Edit, millicents: int) -> Edit:
    return changing(clause, base, lambda r: replace(r, ceiling_millicents=millicents) if isinstance(r, Budget) else r)


def _least_spent(asked: Questions, edit: Edit, row: Budget) -> tuple[int, bool] | None:
    """What is counted to a budget in the cheapest plan that was found, and whether no plan has less."""
    form, problem = asked.asked(edit).form, asked.problem
    if is_small(problem):
        found = solve(Formulation([*form.rows, _as_prices(row)]), problem, None, WORK_LIMIT)
        return (found.cost, found.proof is Proof.OPTIMAL) if found.plan is not None else None
    programme = asked.programme(edit)
    asked.meter.solved(programme.rows, 1 + A_PLAN)
    cost = lean(programme)
    for pool, values in by_pool(row.prices_millicents, programme.form.pool).items():
        cost[programme.form.powered[pool]] += min(values)
    for path, price in row.carried_millicents:
        cost[programme.form.share[path]] += price / WHOLE_PERMILLE
    solution = minimise(programme.rows, cost, programme.narrow())
    plan = rounded(form, programme, cost, solution.value, tight=True) if solution is not None else None
    if plan is None:
        return None
    return cost_of(plan, Formulation([_as_prices(row)])), False


def _as_prices(row: Budget) -> Penalty:
    """What a budget bounds, to be kept small."""
    return Penalty("relaxation", nodes=row.prices_millicents, carried=row.carried_millicents)


def _counts(asked: Questions, clause: Clause, base: Edit, rows: list[Row]) -> Iterator[_Loosening]:
    def looser(by: int) -> Edit:
        def change(row: Row) -> Row:
            if isinstance(row, Distinct):
                return replace(row, least=row.least - by)
            if isinstance(row, Count):
                highest = None if row.highest is None else row.highest + by
                return replace(row, lowest=max(0, row.lowest - by), highest=highest)
            return row

        return changing(clause, base, change)

    most = max(row.least if isinstance(row, Distinct) else MOST_STEPS for row in rows)
    by = _smallest(range(1, most + 1), lambda by: asked.possible(looser(by)))
    if by is not None:
        what = (
            "ask for {} fewer sites, racks and nodes" if isinstance(rows[0], Distinct) else "let the bounds be {} wider"
        )
        yield _Loosening(what.format(by[0]), by[0], by[1], looser(by[0]))


def _room(asked: Questions, clauses: tuple[Clause, ...], base: Edit) -> Iterator[_Loosening]:
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
            yield _Loosening(f"{len(added)} more nodes: {what}", len(added), least=False, edit=base, nodes=added)
            return


def _nodes(asked: Questions, pool: str, base: Edit) -> Iterator[_Loosening]:
    """More nodes of one pool."""
    needed = _nodes_needed(asked, (pool,), base)
    if not needed:
        return
    lowest = needed[pool]
    by = _smallest(
        range(lowest, lowest + MOST_STEPS), lambda by: asked.with_nodes(grown(asked.problem, pool, by)).possible(base)
    )
    if by is not None:
        number = "one more node" if by[0] == 1 else f"{by[0]} more nodes"
        added = grown(asked.problem, pool, by[0]).nodes[len(asked.problem.nodes) :]
        yield _Loosening(f"{number} in {pool}", by[0], by[1], base, added)


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


def _limit(asked: Questions, whole: Questions, clause: Clause, base: Edit) -> Iterator[_Loosening]:
    """The limit of an objective raised to the prediction of the best path that it bars."""
    objective = next((o for s in asked.problem.policy.services for o in s.latency if o.place == clause.place), None)
    if objective is None:
        return
    predicted = {
        row.path: questions.problem.path(row.path).promised_us(objective)
        for questions in (whole, asked)
        for row in questions.rows_of.get(clause, ())
        if isinstance(row, Exclusion)
    }

    def looser(limit_us: int) -> Edit:
        def change(row: Row) -> Row | None:
            return row if not isinstance(row, Exclusion) or predicted[row.path] > limit_us else None

        return changing(clause, base, change)

    found = _smallest(sorted(set(predicted.values())), lambda limit_us: asked.possible(looser(limit_us)))
    if found is not None:
        limit, before = milliseconds(found[0]), milliseconds(objective.below_us)
        first = " of the first response" if objective.of_first else ""
        what = f"allow {limit} at {percentile(objective.percentile_bp)}{first} instead of {before}"
        yield _Loosening(what, found[0] - objective.below_us, found[1], looser(found[0]))


def _reasons(asked: Questions, clause: Clause, base: Edit, rows: list[Row]) -> Iterator[_Loosening]:
    """Each single reason without which everything is served; all of them together where no single one is enough."""
    reasons = sorted({row.reason for row in rows if isinstance(row, Exclusion)})

    def looser(gone: Iterable[str]) -> Edit:
        names = frozenset(gone)
        return changing(clause, base, lambda row: None if isinstance(row, Exclusion) and row.reason in names else row)

    enough = [reason for reason in reasons if asked.possible(looser([reason]))]
    for reason in enough:
        yield _Loosening(f"change that {reason}", 1, least=True, edit=looser([reason]))
    if not enough and len(reasons) > 1 and asked.possible(looser(reasons)):
        yield _Loosening(
            f"give up the clause: {len(reasons)} reasons together", len(reasons), least=False, edit=looser(reasons)
        )


def _smallest(steps: Iterable[int], enough: Callable[[int], bool | None]) -> tuple[int, bool] | None:
    """The first step that is enough, by halving, and whether the one before is proven not to be; None for none."""
    listed = list(steps)
    low, high = 0, len(listed)
    answers: dict[int, bool | None] = {}
    while low < high:
        middle = (low + high) // 2
        answers[middle] = enough(listed[middle])
        low, high = (low, middle) if answers[middle] else (middle + 1, high)
    if low == len(listed):
        return None
    return listed[low], low == 0 or answers.get(low - 1) is False


def _cost(questions: Questions, item: _Loosening) -> tuple[int | None, bool]:
    """What the nodes and links of the whole plan cost after a loosening; roughly, from pools, on a large fleet."""
    if item.nodes:
        nodes = (*questions.problem.nodes, *item.nodes)
        questions = questions.with_nodes(replace(questions.problem, nodes=nodes))
    if is_small(questions.problem):
        asked = questions.priced(item.edit)
        found = solve(asked.form, asked.problem, None, WORK_LIMIT)
        return (price_per_hour(found.plan, asked.problem), False) if found.plan is not None else (None, True)
    programme = questions.programme(item.edit, full=False)
    questions.meter.solved(programme.rows, A_PRICE)
    form = programme.form
    solution = minimise(programme.rows, form.cost, programme.narrow())
    if solution is None:
        return None, True
    price = questions.problem.policy.pool
    spent = (price(pool).price_millicents_per_hour * solution.value[at] for pool, at in form.powered.items())
    links = sum(solution.value[at] for at in form.carried)
    return round(float(sum(spent) + links)), True
