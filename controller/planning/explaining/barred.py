"""Which paths are barred when some clauses hold, as arrays: asked again and again with other clauses."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.planning.barring import barring
from controller.planning.explaining.clauses import Clause, Edit, clauses_of
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.problem import Problem

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

NO_CLAUSE: Final = -1
"""The number of clauses that the rows have not."""


class Barred:
    """The exclusions of a form with their clauses, and the paths that each bars."""

    def __init__(self, form: Formulation, problem: Problem, clauses: Mapping[Clause | None, int]) -> None:
        self.by_path: Mapping[str, list[Exclusion]] = barring(form, problem)
        self._paths = [path.id for path in problem.paths]
        place = {name: at for at, name in enumerate(self._paths)}
        rows = {id(row): row for found in self.by_path.values() for row in found}
        rows |= {id(row): row for row in form.exclusions() if not (row.path or row.demand)}
        self._rows = list(rows.values())
        number = {key: at for at, key in enumerate(rows)}
        pairs = [(place[path], number[id(row)]) for path, found in self.by_path.items() for row in found]
        self._path, self._by = np.array(pairs, np.int64).reshape(-1, 2).T
        self._clause = np.array([clauses[clause] for clause in clauses_of(self._rows)], np.int64)
        self._clauses = clauses

    def gone(self, held: Bools, edit: Edit) -> Bools:
        """[paths]: whether something bars the path; `held` tells of each clause whether it holds."""
        holds = self._holding(held, edit)
        found = np.zeros(len(self._paths), bool)
        found[self._path[holds[self._by]]] = True
        return found

    def options(self, held: Bools, edit: Edit) -> Iterable[str]:
        """The options that are excluded altogether."""
        holds = self._holding(held, edit)
        return [row.option for row, held_now in zip(self._rows, holds, strict=True) if held_now and _of_option(row)]

    def _holding(self, held: Bools, edit: Edit) -> Bools:
        """Of each exclusion, whether it holds."""
        holds = held[self._clause]
        for clause, change in edit.changes.items():
            for at in np.flatnonzero(self._clause == self._clauses.get(clause, NO_CLAUSE)):
                holds[at] = change(self._rows[at]) is not None
        return holds


def _of_option(row: Exclusion) -> bool:
    return bool(row.option) and not (row.path or row.demand)
