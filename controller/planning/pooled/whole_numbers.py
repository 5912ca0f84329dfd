"""A programme over pools in whole numbers, by CP-SAT: what a linear programme takes for possible may not be.

Two and a half nodes cannot be bought, nor half an instance started. That it has no solution in whole numbers proves
that there is no plan; a solution is not yet one, for how instances fall on nodes is still left open.
"""

from typing import NamedTuple

import numpy as np
from ortools.sat.python import cp_model

from controller.decision import Proof
from controller.planning.pooled.programme import Programme
from controller.planning.solve import PROOFS, WALL_LIMIT_S, limited


class Whole(NamedTuple):
    """The columns' values where a solution was found, what is proven, and the deterministic time that it took."""

    values: tuple[int, ...] | None
    proof: Proof
    work: float


def in_whole_numbers(programme: Programme, work_limit: float) -> Whole:
    """A solution of the programme in whole numbers, with one option at most of those that exclude each other."""
    model = cp_model.CpModel()
    columns = {
        int(at): model.new_int_var(0, int(programme.upper[at]), "") for at in np.flatnonzero(programme.upper >= 1)
    }
    _add_rows(model, columns, programme)
    for members in programme.form.exclusive:
        _exclude(model, [columns[at] for at in members if at in columns], programme, members)
    solver = limited(work_limit)
    proof = PROOFS.get(solver.solve(model), Proof.UNDECIDED)
    if solver.wall_time >= WALL_LIMIT_S or proof not in {Proof.OPTIMAL, Proof.FEASIBLE}:
        return Whole(
            None, Proof.INFEASIBLE if proof is Proof.INFEASIBLE else Proof.UNDECIDED, solver.deterministic_time
        )
    values = tuple(int(solver.value(columns[at])) if at in columns else 0 for at in range(programme.upper.size))
    return Whole(values, proof, solver.deterministic_time)


def _add_rows(model: cp_model.CpModel, columns: dict[int, cp_model.IntVar], programme: Programme) -> None:
    form, rows = programme.form, programme.rows
    for row, at in enumerate(programme.at.tolist()):
        terms = [(columns[column], factor) for column, factor in form.rows[at].terms if column in columns]
        lowest, highest = rows.lowest[row] * rows.scale[row], rows.highest[row] * rows.scale[row]
        total = cp_model.LinearExpr.weighted_sum([unknown for unknown, _ in terms], [factor for _, factor in terms])
        if np.isfinite(lowest):
            model.add(total >= round(lowest))
        if np.isfinite(highest):
            model.add(total <= round(highest))


def _exclude(model: cp_model.CpModel, counts: list[cp_model.IntVar], programme: Programme, members: list[int]) -> None:
    """At most one of these counts is above 0."""
    used = []
    for count in counts if len(counts) > 1 else ():
        chosen = model.new_bool_var("")
        model.add(count <= int(programme.upper[members].max()) * chosen)
        used.append(chosen)
    model.add_at_most_one(used)
