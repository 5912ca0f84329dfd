"""Can everything be served in full, without some clauses or with looser ones?

The answer is yes, no, or None where it stayed undecided. A linear programme over pools is asked first: that it has no
solution proves a no, and a plan on nodes that its solution rounds to proves a yes. What is left, CP-SAT answers on a
small fleet.

The rows are written once. A question takes rows out, changes their ends, and shuts paths; only rows that count what
stands are written again, for they may count other things when other paths are open.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from controller.decision import Proof
from controller.planning.barred import Barred, Bools, Ints
from controller.planning.build import without_paths, write
from controller.planning.clauses import Clause, Edit, clause_of, clauses_of
from controller.planning.cpsat import MOST_INSTANCES
from controller.planning.objective import prices
from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.linear import Matrix, arrays, attempt, matrix, stacked
from controller.planning.pooled.programme import Programme, lean
from controller.planning.pooled.rounding import rounded
from controller.planning.solve import solve
from controller.planning.whole.size import is_small
from rules.catalogue import RULES
from rules.kernel.formulation import Count, Distinct, Exclusion, Formulation, Ladder, Penalty, Resource, Row
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Rule

WORK_LIMIT: Final = 0.5
"""Deterministic time of one question; a question that it does not answer stays undecided."""

NOTHING: Final = Plan()


@dataclass(frozen=True, slots=True)
class Asked:
    """A problem, and rows of it."""

    problem: Problem
    form: Formulation


@dataclass(frozen=True, slots=True)
class _Sheet:
    """All rows over pools while some paths are shut: each with the number of its clause, and whether it is a price."""

    counting: list[Row]
    form: PooledForm
    rows: Matrix
    clause: Ints
    is_price: Bools


class Questions:
    """Questions about one problem. `running` is what starts are priced against."""

    def __init__(self, problem: Problem, running: Plan = NOTHING, like: "Questions | None" = None) -> None:
        self.problem = problem if like else useful(problem)
        self.form = Formulation([*(_again(self.problem, like) if like else write(self.problem).rows)])
        self._prices = prices(self.problem, running)
        of_row = clauses_of(self.form.rows)
        self.clauses: frozenset[Clause] = frozenset(clause for clause in of_row if clause)
        self.rows_of: dict[Clause, list[Row]] = {}
        for row, clause in zip(self.form.rows, of_row, strict=True):
            if clause:
                self.rows_of.setdefault(clause, []).append(row)
        self._number: dict[Clause | None, int] = {clause: at for at, clause in enumerate(sorted(self.clauses))}
        self._number[None] = len(self.clauses)
        self.barred = Barred(self.form, self.problem, self._number)
        counting = {row.rule for row in self.form.rows if isinstance(row, Count | Distinct)}
        self._counting = tuple(rule for rule in RULES if rule.id in counting)
        standing = [row for row in self.form.rows if not isinstance(row, Exclusion | Count | Distinct)]
        self._standing = Formulation([*standing, self._prices])
        self._pooled = PooledForm(self._standing, self.problem)
        self._rows = matrix(self._pooled)
        self._clause = self._clauses_at(self._pooled, 0)
        self._sheets: dict[bytes, _Sheet] = {}

    def with_nodes(self, problem: Problem) -> "Questions":
        """The same questions about the problem with other nodes: what is excluded stays so."""
        return Questions(problem, like=self)

    def programme(self, edit: Edit, *, full: bool = True) -> Programme:
        """The rows over pools when clauses hold as `edit` says: with everything served in full, or as far as can be."""
        held = self._held(edit)
        gone = self.barred.gone(held, edit)
        sheet = self._sheet(gone)
        pooled = sheet.form
        mask = held[sheet.clause]
        if full:
            mask &= ~sheet.is_price
        roomy = not all(held[self._number[clause]] for clause in self._room())
        if not roomy:
            mask[pooled.loose] = False
        lowest, highest = sheet.rows.lowest.copy(), sheet.rows.highest.copy()
        if edit.change is not None and edit.clause in self._number:
            for at in np.flatnonzero(sheet.clause == self._number[edit.clause]).tolist():
                source = pooled.rows[at].source
                changed = edit.change(source) if source is not None else None
                mask[at] = changed is not None
                if changed is not None and pooled.rows[at].bounding:
                    low, high = PooledForm.ends(changed)
                    lowest[at] = -np.inf if low is None else low / sheet.rows.scale[at]
                    highest[at] = np.inf if high is None else high / sheet.rows.scale[at]
        upper = np.array(pooled.upper, np.float64)
        if roomy:
            for pool, options in pooled.options.items():
                upper[[pooled.instances[o.id] for o in options]] = MOST_INSTANCES * len(pooled.nodes[pool])
        upper[np.fromiter(pooled.share.values(), np.int64)[gone]] = 0
        upper[[pooled.instances[name] for name in self.barred.options(held, edit) if name in pooled.instances]] = 0
        if full:
            upper[list(pooled.at_least.values())] = 0
        at = np.flatnonzero(mask)
        rows = Matrix(sheet.rows.factors[at], sheet.rows.scale[at], lowest[at], highest[at])
        return Programme(pooled, rows, at, upper)

    def asked(self, edit: Edit) -> Asked:
        """The problem on nodes when clauses hold as `edit` says, everything served in full."""
        return Asked(self.problem, in_full(Formulation(list(self._on_nodes(edit)))))

    def priced(self, edit: Edit) -> Asked:
        """The problem on nodes when clauses hold as `edit` says, with degrading allowed and with its prices."""
        return Asked(self.problem, Formulation([*self._on_nodes(edit), self._prices]))

    def possible(self, edit: Edit) -> bool | None:
        """Whether everything can be served in full when clauses hold as `edit` says."""
        programme = self.programme(edit)
        cost = lean(programme)
        solution, none = attempt(programme.rows, cost, programme.upper)
        if none:
            return False
        form = self.asked(edit).form
        if solution is not None and rounded(form, programme, cost, solution.value) is not None:
            return True
        if not is_small(self.problem):
            return None
        proof = solve(form, self.problem, work_limit=WORK_LIMIT).proof
        return None if proof is Proof.UNDECIDED else proof is not Proof.INFEASIBLE

    def _held(self, edit: Edit) -> Bools:
        """[clauses, and one for what is of none]: whether each holds, in whatever way."""
        return np.array([edit.holds(clause) for clause in self._number], bool)

    def _room(self) -> list[Clause]:
        return [clause for clause, rows in self.rows_of.items() if isinstance(rows[0], Resource)]

    def _sheet(self, gone: Bools) -> _Sheet:
        key = gone.tobytes()
        if key not in self._sheets:
            shut = {path.id for path, is_gone in zip(self.problem.paths, gone, strict=True) if is_gone}
            narrow = without_paths(self.problem, frozenset(shut)) if shut else self.problem
            counting = list(_counted(narrow, self._counting))
            form = self._pooled.further(counting)
            first = len(self._pooled.rows)
            rows = stacked(self._rows, arrays(form.rows[first:], len(form.upper)))
            clause = np.concatenate((self._clause, self._clauses_at(form, first)))
            is_price = np.array([isinstance(row.source, Penalty) for row in form.rows], bool)
            self._sheets[key] = _Sheet(counting, form, rows, clause, is_price)
        return self._sheets[key]

    def _clauses_at(self, form: PooledForm, first: int) -> Ints:
        sources = (row.source for row in form.rows[first:])
        found = [None if source is None else clause_of(source) for source in sources]
        return np.array([self._number[clause] for clause in found], np.int64)

    def _on_nodes(self, edit: Edit) -> Iterator[Row]:
        """The rows as they are to hold, the paths that are barred by name."""
        held = self._held(edit)
        gone = self.barred.gone(held, edit)
        for row in (*self._standing.rows[:-1], *self._sheet(gone).counting):
            kept = edit(row, clause_of(row))
            if kept is not None:
                yield kept
        for name in self.barred.options(held, edit):
            yield Exclusion("", "barred", None, option=name)
        for path, is_gone in zip(self.problem.paths, gone, strict=True):
            if is_gone:
                yield Exclusion("", "barred", None, path=path.id)


def useful(problem: Problem) -> Problem:
    """The problem without options that no path takes and no row asks for: it makes no difference where they stand."""
    taken = {option for path in problem.paths for option in path.options}
    if len(taken) == len(problem.options):
        return problem
    bare = write(replace(problem, demands=(), paths=(), nodes=()))
    for row in bare.rows:
        if isinstance(row, Count) and row.lowest > 0:
            taken.update(row.options)
    return replace(problem, options=tuple(option for option in problem.options if option.id in taken))


def _again(problem: Problem, like: Questions) -> Iterator[Row]:
    """What rules write of the problem with other nodes; those that only exclude write the same."""
    yield from like.form.exclusions()
    others = {row.rule for row in like.form.rows if not isinstance(row, Exclusion)}
    for row in _written(problem, (rule for rule in RULES if rule.id in others)):
        if not isinstance(row, Exclusion):
            yield row


def _counted(problem: Problem, rules: Iterable[Rule]) -> Iterator[Row]:
    """The rows that count what stands."""
    return (row for row in _written(problem, rules) if isinstance(row, Count | Distinct))


def _written(problem: Problem, rules: Iterable[Rule]) -> Iterator[Row]:
    form = Formulation()
    for rule in rules:
        if rule.applies(problem):
            rule.constrain(form, problem)
    yield from form.rows


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
