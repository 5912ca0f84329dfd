"""Can everything be served in full, without some clauses or with looser ones?

The answer is yes, no, or None where it stayed undecided. A linear programme over pools is asked first: that it has no
solution proves a no, and a plan on nodes that its solution rounds to proves a yes. What is left, CP-SAT answers on a
small fleet.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from controller.decision import Proof
from controller.planning.barring import barring
from controller.planning.build import without_paths, write
from controller.planning.clauses import Clause, clause_of
from controller.planning.objective import prices
from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.linear import attempt, matrix
from controller.planning.pooled.rounding import lean, rounded
from controller.planning.solve import solve
from controller.planning.whole.size import is_small
from rules.kernel.formulation import Exclusion, Formulation, Ladder, Penalty, Row
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem

WORK_LIMIT: Final = 0.5
"""Deterministic time of one question; a question that it does not answer stays undecided."""

NOTHING: Final = Plan()

Edit = Callable[[Row], Row | None]
"""A clause's row as it is to hold; None when it is not to."""


def only(kept: frozenset[Clause]) -> Edit:
    """Keeps the rows of some clauses."""
    return lambda row: row if clause_of(row) in kept else None


@dataclass(frozen=True, slots=True)
class Asked:
    """A problem with the paths that nothing bars, and rows of it."""

    problem: Problem
    form: Formulation


class Questions:
    """Questions about one problem. What is written for the same set of paths is written once."""

    def __init__(self, problem: Problem, like: "Questions | None" = None) -> None:
        self.problem = problem
        self.form: Formulation = like.form if like else write(problem)
        self.barring: Mapping[str, list[Exclusion]] = like.barring if like else barring(self.form, problem)
        self._written: dict[frozenset[str], Asked] = {}

    def with_nodes(self, problem: Problem) -> "Questions":
        """The same questions about the problem with other nodes: what is excluded stays so."""
        return Questions(problem, self)

    def asked(self, edit: Edit) -> Asked:
        """The problem as it is when clauses hold as `edit` says."""
        known = self._narrow(edit)
        return Asked(known.problem, in_full(Formulation(list(_held(known.form, edit)))))

    def _narrow(self, edit: Edit) -> Asked:
        holds = {id(row): edit(row) is not None for row in self.form.exclusions() if clause_of(row)}
        gone = frozenset(p for p, rows in self.barring.items() if any(holds.get(id(row), True) for row in rows))
        if gone not in self._written:
            narrow = without_paths(self.problem, gone)
            self._written[gone] = Asked(narrow, write(narrow))
        return self._written[gone]

    def priced(self, edit: Edit, running: Plan = NOTHING) -> Asked:
        """The problem as it is when clauses hold as `edit` says, with degrading allowed and with its prices."""
        known = self._narrow(edit)
        return Asked(known.problem, Formulation([*_held(known.form, edit), prices(known.problem, running)]))

    def possible(self, edit: Edit) -> bool | None:
        """Whether everything can be served in full when clauses hold as `edit` says."""
        asked = self.asked(edit)
        return possible(asked.form, asked.problem)


def possible(form: Formulation, problem: Problem) -> bool | None:
    """Whether any plan keeps all rows."""
    pooled = PooledForm(form, problem)
    rows, cost = matrix(pooled), lean(pooled)
    solution, none = attempt(rows, cost, pooled.upper)
    if none:
        return False
    if solution is not None and rounded(form, pooled, rows, cost, solution.value) is not None:
        return True
    if not is_small(problem):
        return None
    proof = solve(form, problem, work_limit=WORK_LIMIT).proof
    return None if proof is Proof.UNDECIDED else proof is not Proof.INFEASIBLE


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
