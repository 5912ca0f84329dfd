"""Paths over the same placements that differ in settings only: over pools, the setting that answers most is enough.

An instance takes the same of a node in whatever setting. So when an open path takes, for every stage, the setting that
answers most of those that any open path of the demand takes there, the other paths over the same placements can be left
out of a linear programme: what goes over them in a plan can be moved to it with the instances that answer it, and all
rows that the programme has stay kept. Which settings exclude each other is not among these.
"""

import numpy as np
from numpy.typing import NDArray

from rules.kernel.formulation import Formulation, Ladder
from rules.kernel.problem import Placement, Problem

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Ways:
    """The paths of a problem as arrays, in its order."""

    def __init__(self, problem: Problem, form: Formulation) -> None:
        stages = max((len(path.options) for path in problem.paths), default=0)
        kinds: dict[tuple[Placement, int, int], int] = {}
        groups: dict[tuple[str, int, tuple[int, ...]], int] = {}
        alike = {
            o.id: kinds.setdefault((o.placement, o.memory_mib, o.share_permille), len(kinds)) for o in problem.options
        }
        gates = {path: gate for row in form.rows if isinstance(row, Ladder) for path, gate in row.gates}
        answers = {o.id: o.capacity_milli_rps for o in problem.options}
        keys = ((p.demand, gates.get(p.id, 0), tuple(alike[name] for name in p.options)) for p in problem.paths)
        self._group = np.array([groups.setdefault(key, len(groups)) for key in keys], np.int64)
        self._answers = np.zeros((len(problem.paths), stages), np.int64)
        for at, path in enumerate(problem.paths):
            self._answers[at, : len(path.options)] = [answers[name] for name in path.options]
        self._groups = len(groups)

    def needless(self, is_open: Bools) -> Bools:
        """[paths]: the open paths that can be left out."""
        most = np.zeros((self._groups, self._answers.shape[1]), np.int64)
        np.maximum.at(most, self._group[is_open], self._answers[is_open])
        is_best = is_open & (self._answers == most[self._group]).all(axis=1)
        has_best = np.zeros(self._groups, bool)
        has_best[self._group[is_best]] = True
        return np.asarray(is_open & ~is_best & has_best[self._group])
