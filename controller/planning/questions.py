"""Can everything be served in full, without some clauses or with looser ones?

The answer is yes, no, or None where it stayed undecided. No is proven: by a linear programme over pools where it can be,
else by CP-SAT. Yes is a plan on nodes: CP-SAT's on a small fleet; on a large one that of the pools, if room is found for
its instances.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from controller.decision import Proof
from controller.planning.build import without_paths, write
from controller.planning.clauses import Clause, clause_of
from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.integers import solve_whole
from controller.planning.pooled.kept import kept
from controller.planning.pooled.linear import impossible, matrix, minimise
from controller.planning.pooled.nodes import on_nodes
from controller.planning.pooled.rounding import lean, rounded
from controller.planning.solve import solve
from rules.kernel.formulation import Exclusion, Formulation, Ladder, Penalty, Row
from rules.kernel.problem import Problem

WORK_LIMIT: Final = 0.5
"""Deterministic time of one question; a question that it does not answer stays undecided."""
SMALL: Final = 4_000
"""Up to so many unknown numbers of instances, CP-SAT is asked about the nodes one by one."""

Edit = Callable[[Row], Row | None]
"""A clause's row as it is to hold; None when it is not to."""


def without(dropped: frozenset[Clause]) -> Edit:
    """Drops the rows of some clauses."""
    return lambda row: None if clause_of(row) in dropped else row


def only(kept: frozenset[Clause]) -> Edit:
    """Keeps the rows of some clauses."""
    return lambda row: row if clause_of(row) in kept else None


@dataclass(frozen=True, slots=True)
class Asked:
    """A problem with the paths that nothing bars, and its rows without degrading and without prices."""

    problem: Problem
    form: Formulation


class Questions:
    """Questions about one problem. What is written for the same set of paths is written once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.form = write(problem)
        self.barring = _barring(self.form, problem)
        self._written: dict[frozenset[str], Asked] = {}

    def asked(self, edit: Edit) -> Asked:
        """The problem as it is when clauses hold as `edit` says."""
        holds = {id(row): edit(row) is not None for row in self.form.exclusions() if clause_of(row)}
        gone = frozenset(p for p, rows in self.barring.items() if any(holds.get(id(row), True) for row in rows))
        if gone not in self._written:
            narrow = without_paths(self.problem, gone)
            self._written[gone] = Asked(narrow, write(narrow))
        known = self._written[gone]
        return Asked(known.problem, in_full(Formulation(list(_held(known.form, edit)))))

    def possible(self, edit: Edit) -> bool | None:
        """Whether everything can be served in full when clauses hold as `edit` says."""
        asked = self.asked(edit)
        return possible(asked.form, asked.problem)


def possible(form: Formulation, problem: Problem) -> bool | None:
    """Whether any plan keeps all rows."""
    pooled = PooledForm(form, problem)
    rows, cost = matrix(pooled), lean(form, pooled)
    solution = minimise(rows, cost, pooled.upper)
    if solution is None and impossible(rows, pooled.upper):
        return False
    if sum(len(pooled.nodes[pool]) * len(options) for pool, options in pooled.options.items()) <= SMALL:
        proof = solve(form, problem, work_limit=WORK_LIMIT).proof
        return None if proof is Proof.UNDECIDED else proof is not Proof.INFEASIBLE
    if solution is not None and rounded(form, pooled, rows, cost, solution.value) is not None:
        return True
    whole = solve_whole(pooled, WORK_LIMIT)
    if whole.proof is Proof.INFEASIBLE:
        return False
    plan = on_nodes(form, pooled, whole.values) if whole.values else None
    return True if plan is not None and kept(form, plan) else None


def _barring(form: Formulation, problem: Problem) -> dict[str, list[Exclusion]]:
    """By path, the exclusions that bar it, or one of its uses."""
    stages = {d.id: [stage.name for stage in problem.service_of(d).stages] for d in problem.demands}
    through: dict[tuple[str, str, str], list[str]] = {}
    for path in problem.paths:
        for stage, option in zip(stages[path.demand], path.options, strict=True):
            through.setdefault((path.demand, stage, option), []).append(path.id)
    found: dict[str, list[Exclusion]] = {}
    for row in form.exclusions():
        for path_id in [row.path] if row.path else through.get((row.demand, row.stage, row.option), []):
            found.setdefault(path_id, []).append(row)
    return found


def _held(form: Formulation, edit: Edit) -> Iterator[Row]:
    """The rows as they are to hold. The paths that exclusions bar are no longer in the problem."""
    for row in form.rows:
        if isinstance(row, Exclusion) and (row.path or row.demand):
            continue
        kept = row if clause_of(row) is None else edit(row)
        if kept is not None:
            yield kept


def in_full(form: Formulation) -> Formulation:
    """The form with every service held at level 0, and without prices: the question is only whether it is possible."""
    rows: list[Row] = []
    for row in form.rows:
        if isinstance(row, Ladder):
            rows += [Exclusion(row.rule, "a degrade step", None, path=path) for path, level in row.gates if level]
            rows.append(replace(row, gates=(), unserved_permille=row.unserved_permille[:1]))
        elif not isinstance(row, Penalty):
            rows.append(row)
    return Formulation(rows)
