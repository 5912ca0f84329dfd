"""Why not everything can be served: a smallest set of clauses that cannot all hold.

Found by dropping clauses one at a time and solving again (a deletion filter): what is left is minimal, for any one of
its members dropped, the others can hold together. CP-SAT's own assumptions are not asked; they may name the wrong ones.
"""

from dataclasses import dataclass, replace
from typing import Final

from controller.decision import Proof
from controller.planning.build import without_paths, write
from controller.planning.solve import solve
from policy.findings import Place
from rules.kernel.formulation import Exclusion, Formulation, Ladder, Penalty, Row
from rules.kernel.problem import Path, Problem

WORK_LIMIT: Final = 0.5
"""Deterministic time of one question; a question that it does not answer keeps its clause in the set."""

ARITHMETIC: Final = frozenset({"served", "capacity", "one_setting", "degrade"})
"""Rules that say what a plan is rather than what somebody asked for: nobody can loosen them."""


@dataclass(frozen=True, slots=True, order=True)
class Clause:
    """A rule's rows for one place in the policy."""

    place: Place
    rule: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Clauses that cannot hold together. `proven` is false when a question stayed undecided."""

    clauses: tuple[Clause, ...]
    proven: bool


def conflict(whole: Problem) -> Conflict | None:
    """A minimal conflict that keeps some service from being served in full; None when there is none."""
    problem = replace(whole, floors=())
    if _possible(problem, frozenset()) is not False:
        return None
    rows = (row for row in write(problem).rows if not isinstance(row, Penalty) and row.rule not in ARITHMETIC)
    needed: list[Clause] = []
    dropped: frozenset[Clause] = frozenset()
    proven = True
    for clause in sorted({Clause(row.place, row.rule) for row in rows if row.place}):
        answer = _possible(problem, dropped | {clause})
        if answer is False:
            dropped |= {clause}
        else:
            needed.append(clause)
            proven = proven and answer is True
    return Conflict(tuple(needed), proven)


def _possible(problem: Problem, dropped: frozenset[Clause]) -> bool | None:
    """Whether everything can be served in full without some clauses; None when that stays undecided."""
    barred = {(row.demand, row.stage, row.option, row.path) for row in _kept(write(problem), dropped).exclusions()}
    gone = frozenset(path.id for path in problem.paths if _is_barred(path, problem, barred))
    narrow = without_paths(problem, gone)
    proof = solve(_in_full(_kept(write(narrow), dropped)), narrow, work_limit=WORK_LIMIT).proof
    return None if proof is Proof.UNDECIDED else proof is not Proof.INFEASIBLE


def _is_barred(path: Path, problem: Problem, barred: set[tuple[str, str, str, str]]) -> bool:
    stages = problem.service_of(problem.demand(path.demand)).stages
    return ("", "", "", path.id) in barred or any(
        (path.demand, stage.name, option, "") in barred for stage, option in zip(stages, path.options, strict=True)
    )


def _kept(form: Formulation, dropped: frozenset[Clause]) -> Formulation:
    return Formulation(
        [
            row
            for row in form.rows
            if isinstance(row, Penalty) or not row.place or Clause(row.place, row.rule) not in dropped
        ]
    )


def _in_full(form: Formulation) -> Formulation:
    """The form with every service held at level 0, and without prices: the question is only whether it is possible."""
    rows: list[Row] = []
    for row in form.rows:
        if isinstance(row, Ladder):
            rows += [Exclusion(row.rule, "a degrade step", None, path=path) for path, level in row.gates if level]
            rows.append(replace(row, gates=(), unserved_permille=row.unserved_permille[:1]))
        elif not isinstance(row, Penalty):
            rows.append(row)
    return Formulation(rows)
