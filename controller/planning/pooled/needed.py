"""Which columns a linear programme can need when it starts from a point that breaks few of its rows.

With costs of at least 0 and every column at its lower end, a column that helps no row that is broken, or that what
mends it could break, stays where it is: taking it back to its lower end breaks nothing and costs no more.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from controller.planning.pooled.linear import Floats, Matrix

Bools = NDArray[np.bool_]
TOLERANCE = 1e-9


class Needed:
    """The rows of a programme by where a column's rise takes them."""

    def __init__(self, rows: Matrix) -> None:
        self._rows = rows
        up, down = rows.factors > 0, rows.factors < 0
        ends = (np.isfinite(rows.lowest), np.isfinite(rows.highest))
        self._helps = csr_array(_of_rows(up, ends[0]) + _of_rows(down, ends[1]), dtype=np.int64)
        self._breaks = csc_array(_of_rows(up, ends[1]) + _of_rows(down, ends[0]), dtype=np.int64)

    def columns(self, lower: Floats, free: Bools) -> Bools:
        """Of the free columns, those that can be needed."""
        there = self._rows.factors @ lower
        broken = (there < self._rows.lowest - TOLERANCE) | (there > self._rows.highest + TOLERANCE)
        found, fresh = np.zeros(free.size, bool), np.flatnonzero(broken)
        seen = broken.copy()
        while fresh.size:
            helpful = np.zeros(free.size, bool)
            helpful[self._helps[fresh].indices] = True
            more = helpful & free & ~found
            found |= more
            touched = np.zeros(seen.size, bool)
            touched[self._breaks[:, np.flatnonzero(more)].indices] = True
            fresh = np.flatnonzero(touched & ~seen)
            seen |= touched
        return found


def _of_rows(entries: csr_array, wanted: Bools) -> csr_array:
    """The entries of the rows that are wanted."""
    return csr_array(entries.multiply(wanted[:, None]))
