"""Looser rows: a higher ceiling, one reason fewer, or the clause taken out; for others, who knows how."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from controller.decision import Proof
from controller.planning.explaining.clauses import Clause, Edit, changing
from controller.planning.explaining.loosen_counts import fewer_places, wider_bounds
from controller.planning.explaining.loosen_limits import higher_limit
from controller.planning.explaining.loosening import Loosening
from controller.planning.explaining.questions import Questions
from controller.planning.explaining.remedy import remedy
from controller.planning.meter import A_PLAN
from controller.planning.objective import cost_of
from controller.planning.pooled.linear import minimise
from controller.planning.pooled.programme import lean
from controller.planning.pooled.room import by_pool
from controller.planning.pooled.rounding import rounded
from controller.planning.solve import solve
from controller.planning.whole.size import is_small
from controller.planning.work import OTHER_PLAN_WORK
from policy.words import dollars_per_hour
from rules.kernel.formulation import Budget, Count, Distinct, Exclusion, Flow, Formulation, Gathered, Penalty, Row
from rules.kernel.problem import WHOLE_PERMILLE


def loosenings(asked: Questions, whole: Questions, clause: Clause, base: Edit) -> Iterator[Loosening]:
    """Loosenings of a clause, looked for in a part of the whole; they change its rows in both."""
    rows = asked.rows_of[clause]
    kind = type(rows[0])
    if kind is Budget:
        yield from _ceiling(asked, clause, base)
    elif kind is Distinct:
        yield from fewer_places(asked, clause, base)
    elif kind is Count:
        yield from wider_bounds(asked, clause, base)
    elif kind in (Flow, Gathered):
        yield from _without(asked, clause, base)
    elif any(isinstance(row, Exclusion) and row.path for row in rows):
        yield from higher_limit(asked, whole, clause, base)
    elif kind is Exclusion:
        yield from _reasons(asked, clause, base, rows)


def _without(asked: Questions, clause: Clause, base: Edit) -> Iterator[Loosening]:
    """The clause taken out, where that is enough."""
    edit = changing(clause, base, lambda _: None)
    if asked.possible(edit):
        yield Loosening("take the clause out", 1, least=False, edit=edit)


def _ceiling(asked: Questions, clause: Clause, base: Edit) -> Iterator[Loosening]:
    """As much more money as the cheapest plan that serves everything needs."""
    row = next(row for row in asked.rows_of[clause] if isinstance(row, Budget))
    free = changing(clause, base, lambda each: None if isinstance(each, Budget) else each)
    spent = _least_spent(asked, free, row)
    if spent is not None:
        needed, least = spent
        more = needed - row.ceiling_millicents
        if more <= 0:
            return
        edit = _with_ceiling(clause, base, needed)
        least = least or (asked.is_decidable(edit) and asked.possible(_with_ceiling(clause, base, needed - 1)) is False)
        yield Loosening(f"raise the ceiling by {dollars_per_hour(more)}", more, least, edit)


def _with_ceiling(clause: Clause, base: Edit, millicents: int) -> Edit:
    return changing(clause, base, lambda r: replace(r, ceiling_millicents=millicents) if isinstance(r, Budget) else r)


def _least_spent(asked: Questions, edit: Edit, row: Budget) -> tuple[int, bool] | None:
    """What is counted to a budget in the cheapest plan that was found, and whether no plan has less."""
    form, problem = asked.asked(edit).form, asked.problem
    if is_small(problem):
        found = solve(Formulation([*form.rows, _as_prices(row)]), problem, None, OTHER_PLAN_WORK)
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


def _reasons(asked: Questions, clause: Clause, base: Edit, rows: list[Row]) -> Iterator[Loosening]:
    """Each single reason without which everything is served; all of them together where no single one is enough."""
    reasons = sorted({row.reason for row in rows if isinstance(row, Exclusion)})

    def looser(gone: Iterable[str]) -> Edit:
        names = frozenset(gone)
        return changing(clause, base, lambda row: None if isinstance(row, Exclusion) and row.reason in names else row)

    enough = [reason for reason in reasons if asked.possible(looser([reason]))]
    for reason in enough:
        yield Loosening(f"{remedy(clause.rule)}: {reason}", 1, least=True, edit=looser([reason]))
    if not enough and len(reasons) > 1 and asked.possible(looser(reasons)):
        what = f"take the clause out, or mend all {len(reasons)} reasons for which it bars"
        yield Loosening(what, len(reasons), least=False, edit=looser(reasons))
