"""Can everything be served in full, without some clauses or with looser ones?

The answer is yes, no, or None where it stayed undecided. A linear programme over pools is asked first: that it has no
solution proves a no, and a plan on nodes that its solution rounds to proves a yes. What is left, CP-SAT answers on a
small fleet.

The rows are written once. A question takes rows out, changes their ends, and shuts paths; only rows that count what
stands are written again, for they may count other things when other paths are open.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from controller.decision import Proof
from controller.planning.build import without_paths, write_all
from controller.planning.explaining.barred import Barred, Bools
from controller.planning.explaining.clauses import Clause, Edit, clause_of, clauses_of
from controller.planning.explaining.sheet import Chosen, Sheet
from controller.planning.explaining.written import Counting, again, count_rows, counting, useful
from controller.planning.meter import A_PLAN, Meter
from controller.planning.objective import prices
from controller.planning.pooled.linear import attempt
from controller.planning.pooled.nodes import on_nodes
from controller.planning.pooled.programme import Programme, lean
from controller.planning.pooled.rounding import rounded
from controller.planning.pooled.ways import Ways
from controller.planning.pooled.whole_numbers import in_whole_numbers
from controller.planning.solve import solve
from controller.planning.whole.reading import kept
from controller.planning.whole.size import is_small
from controller.planning.work import QUESTION_WORK
from rules.kernel.formulation import Exclusion, Formulation, Ladder, Penalty, Row
from rules.kernel.plan import Plan
from rules.kernel.problem import Path, Problem

MOST_COLUMNS: Final = 1_000
"""Unknowns over pools beyond which CP-SAT is not asked."""
MOST_PAIRS: Final = 5_000
"""Pairs of an option and a node beyond which CP-SAT is not asked about nodes."""

NOTHING: Final = Plan()


@dataclass(frozen=True, slots=True)
class Asked:
    """A problem, and rows of it."""

    problem: Problem
    form: Formulation


class Questions:
    """Questions about one problem. `running` is what starts are priced against.

    What `meter` counts against is the limit of all questions together; beyond it they stay undecided. Demands that no
    path of level 0 serves are `stranded`: no clause could help them, so it is not asked that they be served in full.
    """

    def __init__(
        self,
        problem: Problem,
        running: Plan = NOTHING,
        meter: Meter | None = None,
        like: "Questions | None" = None,
    ) -> None:
        self.meter = meter or Meter()
        self._running = running
        self.problem = problem if like else useful(problem)
        rows = list(again(self.problem, like.form)) if like else write_all(self.problem).rows
        self.form: Formulation = Formulation(rows)
        self._prices = prices(self.problem, running)
        self.rows_of: dict[Clause, list[Row]] = {}
        for row, clause in zip(self.form.rows, clauses_of(self.form.rows), strict=True):
            if clause:
                self.rows_of.setdefault(clause, []).append(row)
        self.clauses = frozenset(self.rows_of)
        self._number: dict[Clause | None, int] = {clause: at for at, clause in enumerate(sorted(self.clauses))}
        self._number[None] = len(self.clauses)
        self.barred = Barred(self.form, self.problem, self._number)
        self._ways = Ways(self.problem, self.form)
        self._counting = counting(self.form)
        standing = [row for row in self.form.rows if not isinstance(row, Exclusion | Counting)]
        self._standing = standing
        self.stranded = _stranded(self.problem, standing)
        whole = Formulation([*standing, self._prices])
        self._sheet = Sheet.of(whole, self.problem, self._number, self.stranded)
        self._sheets: dict[bytes, tuple[Sheet, list[Row]]] = {}
        self._abouts: dict[tuple[frozenset[str], frozenset[str]], Questions] = {}
        self.meter.solved(self._sheet.rows)  # writing them takes as long

    @cached_property
    def paths_of(self) -> Mapping[str, tuple[Path, ...]]:
        """By service, its paths in the problem's order."""
        found: defaultdict[str, list[Path]] = defaultdict(list)
        services = {demand.id: demand.service for demand in self.problem.demands}
        for path in self.problem.paths:
            found[services[path.demand]].append(path)
        return {service: tuple(paths) for service, paths in found.items()}

    def with_nodes(self, problem: Problem) -> "Questions":
        """The same questions about the problem with other nodes: what is excluded stays so."""
        return Questions(problem, self._running, self.meter, like=self)

    def about(self, problem: Problem) -> "Questions":
        """Questions about a part of the problem, which count against the same limit; written once for each part."""
        key = frozenset(demand.id for demand in problem.demands), frozenset(option.id for option in problem.options)
        if key not in self._abouts:
            self._abouts[key] = Questions(problem, self._running, self.meter)
        return self._abouts[key]

    def programme(self, edit: Edit, *, full: bool = True) -> Programme:
        """The rows over pools when clauses hold as `edit` says: with everything served in full, or as far as can be."""
        held, gone, options = self._shut(edit)
        needless = self._ways.needless(~gone) if not options else np.zeros_like(gone)
        sheet, _ = self._with_paths(gone)
        return sheet.programme(Chosen(edit, held, gone, needless, options, full))

    def asked(self, edit: Edit) -> Asked:
        """The problem on nodes when clauses hold as `edit` says, everything served in full."""
        return Asked(self.problem, in_full(Formulation(list(self._on_nodes(edit))), self.stranded))

    def priced(self, edit: Edit) -> Asked:
        """The problem on nodes when clauses hold as `edit` says, with degrading allowed and with its prices."""
        return Asked(self.problem, Formulation([*self._on_nodes(edit), self._prices]))

    def possible(self, edit: Edit) -> bool | None:
        """Whether everything can be served in full when clauses hold as `edit` says."""
        if self.meter.is_over:
            return None
        programme = self.programme(edit)
        if not self.meter.affords(programme.rows, 1):
            return None
        cost = lean(programme)
        self.meter.solved(programme.rows)
        solution, none = attempt(programme.rows, cost, programme.narrow())
        if none:
            return False
        form = self.asked(edit).form
        self.meter.solved(programme.rows, A_PLAN)
        if solution is not None and rounded(form, programme, cost, solution.value) is not None:
            return True
        if is_small(self.problem):
            return self._on_each_node(form, QUESTION_WORK)
        return self._in_whole_numbers(form, programme)

    def is_decidable(self, edit: Edit) -> bool:
        """Whether CP-SAT is asked where the linear programme leaves a question open."""
        return is_small(self.problem) or bool(np.count_nonzero(self.programme(edit).narrow()) <= MOST_COLUMNS)

    def pools_in_use(self, edit: Edit) -> frozenset[str]:
        """The pools that a path goes to which nothing bars."""
        _, gone, _ = self._shut(edit)
        is_open = zip(self.problem.paths, gone, strict=True)
        used = {option for path, is_gone in is_open if not is_gone for option in path.options}
        return frozenset(self.problem.option(name).placement.pool for name in used)

    def _in_whole_numbers(self, form: Formulation, programme: Programme) -> bool | None:
        """The answer of CP-SAT over pools; then, for what has few nodes, on each node."""
        if np.count_nonzero(programme.narrow()) > MOST_COLUMNS:
            return None
        found = in_whole_numbers(programme, QUESTION_WORK)
        self.meter.spent += found.work
        if found.proof is Proof.INFEASIBLE:
            return False
        plan = on_nodes(form, programme.form, found.values) if found.values else None
        if plan is not None and kept(form, plan):
            return True
        pairs = sum(len(names) * len(programme.form.options[pool]) for pool, names in programme.form.nodes.items())
        return self._on_each_node(form, QUESTION_WORK) if pairs <= MOST_PAIRS else None

    def _on_each_node(self, form: Formulation, work_limit: float) -> bool | None:
        found = solve(form, self.problem, work_limit=work_limit)
        self.meter.spent += found.work
        return None if found.proof is Proof.UNDECIDED else found.proof is not Proof.INFEASIBLE

    def _shut(self, edit: Edit) -> tuple[Bools, Bools, tuple[str, ...]]:
        """Which clauses hold, in whatever way; the paths that are barred then, and the options that may not stand."""
        held = np.array([edit.holds(clause) for clause in self._number], bool)
        return held, self.barred.gone(held, edit), tuple(self.barred.options(held, edit))

    def _with_paths(self, gone: Bools) -> tuple[Sheet, list[Row]]:
        """The sheet while some paths are barred, and what counts what stands then."""
        key = gone.tobytes()
        if key not in self._sheets:
            barred = frozenset(path.id for path, is_gone in zip(self.problem.paths, gone, strict=True) if is_gone)
            rows = list(count_rows(without_paths(self.problem, barred), self._counting))
            self._sheets[key] = self._sheet.further(rows), rows
        return self._sheets[key]

    def _on_nodes(self, edit: Edit) -> Iterator[Row]:
        """The rows as they are to hold, the paths that are barred by name."""
        _, gone, options = self._shut(edit)
        _, counts = self._with_paths(gone)
        for row in (*self._standing, *counts):
            kept = edit(row, clause_of(row))
            if kept is not None:
                yield kept
        yield from (Exclusion("", "barred", None, option=name) for name in options)
        paths = (path.id for path, is_gone in zip(self.problem.paths, gone, strict=True) if is_gone)
        yield from (Exclusion("", "barred", None, path=path) for path in paths)


def _stranded(problem: Problem, rows: Iterable[Row]) -> frozenset[str]:
    """The demands that no path of level 0 serves."""
    gated = {path for row in rows if isinstance(row, Ladder) for path, level in row.gates if level}
    served = {path.demand for path in problem.paths if path.id not in gated}
    return frozenset(demand.id for demand in problem.demands) - served


def in_full(form: Formulation, stranded: frozenset[str]) -> Formulation:
    """The form with every service held at level 0, and without prices: the question is only whether it is possible."""
    rows: list[Row] = []
    for row in form.rows:
        if isinstance(row, Ladder):
            rows += [Exclusion(row.rule, "a degrade step", None, path=path) for path, level in row.gates if level]
            demands = tuple(demand for demand in row.demands if demand not in stranded)
            rows.append(replace(row, demands=demands, gates=(), unserved_permille=row.unserved_permille[:1]))
        elif not isinstance(row, Penalty):
            rows.append(row)
    return Formulation(rows)
