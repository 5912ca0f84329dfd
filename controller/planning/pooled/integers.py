"""The pooled form in whole numbers, by CP-SAT: what is impossible here is impossible on nodes too."""

from dataclasses import dataclass

from ortools.sat.python import cp_model

from controller.decision import Proof
from controller.planning.pooled.form import PooledForm
from controller.planning.solve import PROOFS, WALL_LIMIT_S, limited


@dataclass(frozen=True, slots=True)
class Whole:
    """The value of each column; none when no solution was found. `bound`: no solution costs less."""

    values: tuple[int, ...]
    proof: Proof
    cost: int
    bound: int


def solve_whole(
    form: PooledForm, work_limit: float, cost: list[int] | None = None, hint: tuple[int, ...] = ()
) -> Whole:
    """The cheapest solution in whole numbers, within a limit of deterministic time."""
    model = cp_model.CpModel()
    columns = [model.new_int_var(0, upper, f"c{index}") for index, upper in enumerate(form.upper)]
    for row in form.rows:
        value = cp_model.LinearExpr.weighted_sum([columns[i] for i, _ in row.terms], [f for _, f in row.terms])
        if row.lowest is not None:
            model.add(value >= row.lowest)
        if row.highest is not None:
            model.add(value <= row.highest)
    for members in form.exclusive:
        used = [model.new_bool_var("") for _ in members]
        for column, chosen in zip(members, used, strict=True):
            model.add(columns[column] == 0).only_enforce_if(~chosen)
        model.add_at_most_one(used)
    wanted = form.cost if cost is None else cost
    if any(wanted):
        paid = [index for index, price in enumerate(wanted) if price]
        model.minimize(cp_model.LinearExpr.weighted_sum([columns[i] for i in paid], [wanted[i] for i in paid]))
    for column, value in zip(columns, hint, strict=False):
        model.add_hint(column, value)
    solver = limited(work_limit)
    proof = PROOFS.get(solver.solve(model), Proof.UNDECIDED)
    if solver.wall_time >= WALL_LIMIT_S or proof in {Proof.INFEASIBLE, Proof.UNDECIDED}:
        return Whole((), proof if proof is Proof.INFEASIBLE else Proof.UNDECIDED, 0, 0)
    values = tuple(solver.value(column) for column in columns)
    return Whole(values, proof, round(solver.objective_value), round(solver.best_objective_bound))
