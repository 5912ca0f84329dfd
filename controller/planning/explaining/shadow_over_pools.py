"""What one more node or a wider link is worth on a large fleet: by how much a linear programme over pools costs less.

The programme is solved once with all its paths. For one more of something it is solved again over the paths that it
used, and those that what is added opens: these are a tenth of them. With the others it could only save more, so what it
saves is said to be "at least" that.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from controller.planning.explaining.clauses import EVERYTHING, Change, Edit, clause_of
from controller.planning.explaining.questions import Questions
from controller.planning.pooled.linear import Floats, Solution, minimise
from controller.planning.pooled.programme import Programme
from rules.kernel.formulation import Exclusion, Row
from rules.kernel.plan import Plan
from rules.kernel.problem import Path, Problem
from rules.latency import Latency

NOTHING = 1e-6


class Gain(NamedTuple):
    """What an hour costs less, degrading and refusing aside, and what is refused less in permille over demands.

    `total` is what an hour costs less in millicents with the prices of degrading and refusing.
    """

    millicents: float
    served_permille: float
    total: float


class OverPools:
    """The linear programme of a problem, with all that is asked of it."""

    def __init__(self, problem: Problem, running: Plan) -> None:
        self._questions = Questions(replace(problem, floors=()), running)
        self._programme = self._questions.programme(EVERYTHING, full=False)
        programme, form = self._programme, self._programme.form
        self._solution = minimise(programme.rows, form.cost, programme.narrow())
        self._refused = list(form.unserved.values())
        self._cost = np.array(form.cost, np.float64)
        self._cost[[*self._refused, *form.at_least.values()]] = 0

    def price(self, pool: str) -> float:
        """What the programme says of one more node of a pool, in millicents an hour with degrading and refusing."""
        reduced = self._solution.reduced if self._solution else None
        return 0.0 if reduced is None else -float(reduced[self._programme.form.powered[pool]])

    def with_node(self, pool: str) -> Gain | None:
        """What one more node of a pool gains; None where no solution was found."""
        form = self._programme.form
        options = frozenset(option.id for option in form.options[pool])
        through = (path for path in form.problem.paths if not options.isdisjoint(path.options))
        upper = self._open(self._programme, through)
        columns = [form.instances[name] for name in options]
        upper[columns] *= 1 + 1 / len(form.nodes[pool])
        upper[form.powered[pool]] += 1
        return self._gain(self._programme, upper)

    def with_paths(self, paths: Collection[str]) -> Gain | None:
        """What is gained when no latency bars these paths any more."""
        rows = [row for name in paths for row in self._questions.barred.by_path.get(name, ())]
        clauses = {clause for row in rows if row.rule == Latency.id and (clause := clause_of(row))}
        edit = Edit(None, dict.fromkeys(clauses, _without(frozenset(paths))))
        programme = self._questions.programme(edit, full=False)
        return self._gain(programme, self._open(programme, map(self._questions.problem.path, paths)))

    def _open(self, programme: Programme, more: Iterable[Path]) -> Floats:
        """[columns]: upper ends at which only these paths are open and what the first solution uses."""
        value = self._solution.value if self._solution else np.zeros(programme.upper.size)
        form = programme.form
        used = [path for path in form.problem.paths if value[form.share[path.id]] > NOTHING]
        stands = (name for name, column in form.instances.items() if value[column] > NOTHING)
        return programme.along([*used, *more], stands)

    def _gain(self, programme: Programme, upper: Floats) -> Gain | None:
        before = self._solution
        after: Solution | None = minimise(programme.rows, programme.form.cost, upper)
        if before is None or after is None:
            return None
        value = after.value[: before.value.size]
        saved = before.value - value
        return Gain(float(self._cost @ saved), float(saved[self._refused].sum()), before.cost - after.cost)


def _without(paths: frozenset[str]) -> Change:
    """Takes out what bars these paths."""

    def change(row: Row) -> Row | None:
        return None if isinstance(row, Exclusion) and row.path in paths else row

    return change
