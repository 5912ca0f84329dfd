"""All rows over pools at once, and what is left of them when some clauses do not hold, or hold in another way."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from controller.planning.cpsat import MOST_INSTANCES
from controller.planning.explaining.barred import NO_CLAUSE, Bools, Ints
from controller.planning.explaining.clauses import Clause, Edit, clause_of
from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.linear import Floats, Matrix, arrays, matrix, stacked
from controller.planning.pooled.programme import Programme
from rules.kernel.formulation import Formulation, Ladder, Penalty, Resource, Row
from rules.kernel.problem import Problem


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which clauses hold and how, which paths are barred and which needless, and the options that may not stand at all.

    `held` is by number of clause, the last for what is of none. `full` where everything is to be served in full.
    """

    edit: Edit
    held: Bools
    gone: Bools
    needless: Bools
    options: tuple[str, ...]
    full: bool


class Sheet:
    """The pooled form of rows; each of its rows with the number of its clause."""

    def __init__(
        self, form: PooledForm, rows: Matrix, number: Mapping[Clause | None, int], clause: Ints, free_to_refuse: Ints
    ) -> None:
        self.form = form
        self._rows = rows
        self._number = number
        self._clause = clause
        self._is_price = np.array([isinstance(row.source, Penalty) for row in form.rows], bool)
        self._free_to_refuse = free_to_refuse
        room = {id(row.source): row.source for row in form.rows if isinstance(row.source, Resource)}
        self._room = np.array(sorted({number[clause_of(row)] for row in room.values()}), np.int64)
        self._shares = np.array(list(form.share.values()), np.int64)

    @property
    def rows(self) -> Matrix:
        """All rows, as they were written."""
        return self._rows

    @classmethod
    def of(
        cls, form: Formulation, problem: Problem, number: Mapping[Clause | None, int], stranded: frozenset[str]
    ) -> "Sheet":
        """The sheet of a form; demands that are stranded may be refused also where everything is to be served."""
        pooled = PooledForm(form, problem)
        columns = {pooled.unserved[name] for name in stranded}
        ladders = ((at, row) for at, row in enumerate(pooled.rows) if isinstance(row.source, Ladder))
        limits = [at for at, row in ladders if row.terms[0][0] in columns]
        free_to_refuse = np.array(limits, np.int64)
        return cls(pooled, matrix(pooled), number, _numbers(pooled, 0, number), free_to_refuse)

    def further(self, rows: list[Row]) -> "Sheet":
        """The same with more rows."""
        form, first = self.form.further(rows), len(self.form.rows)
        more = arrays(form.rows[first:], len(form.upper))
        clause = np.concatenate((self._clause, _numbers(form, first, self._number)))
        return Sheet(form, stacked(self._rows, more), self._number, clause, self._free_to_refuse)

    def programme(self, chosen: Chosen) -> Programme:
        """The rows as they are to hold."""
        kept = chosen.held[self._clause]
        if chosen.full:
            kept &= ~self._is_price
            kept[self._free_to_refuse] = False
        if self._is_tight(chosen):
            kept[self.form.loose] = False
        lowest, highest = self._rows.lowest.copy(), self._rows.highest.copy()
        self._change(chosen.edit, kept, lowest, highest)
        at = np.flatnonzero(kept)
        rows = Matrix(self._rows.factors[at], self._rows.scale[at], lowest[at], highest[at])
        return Programme(self.form, rows, at, self._upper(chosen), self._shares[chosen.needless])

    def _is_tight(self, chosen: Chosen) -> bool:
        """Whether all room on nodes is as it is, so that no looser limit on an option matters."""
        return bool(chosen.held[self._room].all())

    def _change(self, edit: Edit, kept: Bools, lowest: Floats, highest: Floats) -> None:
        """Take out, or give other ends, what the edit changes."""
        changes = ((self._number.get(clause, NO_CLAUSE), change) for clause, change in edit.changes.items())
        for at, change in ((at, c) for number, c in changes for at in np.flatnonzero(self._clause == number).tolist()):
            row = self.form.rows[at]
            changed = change(row.source) if row.source is not None else None
            kept[at] = changed is not None
            if changed is not None and row.bounding:
                low, high = PooledForm.ends(changed)
                lowest[at] = -np.inf if low is None else low / self._rows.scale[at]
                highest[at] = np.inf if high is None else high / self._rows.scale[at]

    def _upper(self, chosen: Chosen) -> Floats:
        """The columns' upper ends."""
        form = self.form
        upper = np.array(form.upper, np.float64)
        if not self._is_tight(chosen):
            for pool, options in form.options.items():
                upper[[form.instances[o.id] for o in options]] = MOST_INSTANCES * len(form.nodes[pool])
        upper[self._shares[chosen.gone]] = 0
        upper[[form.instances[name] for name in chosen.options if name in form.instances]] = 0
        if chosen.full:
            upper[list(form.at_least.values())] = 0
        return upper


def _numbers(form: PooledForm, first: int, number: Mapping[Clause | None, int]) -> Ints:
    """The number of the clause of each row from `first` on."""
    sources = (row.source for row in form.rows[first:])
    return np.array([number[None if source is None else clause_of(source)] for source in sources], np.int64)
