"""Work that is counted, not timed, so that what is found within a limit is the same on every machine."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.planning.pooled.linear import Floats, Matrix

A_TERM: Final = 2.5e-6
"""What a linear programme counts for each term of its rows: about the seconds that it takes."""
A_PLAN: Final = 3
"""Rounding a solution to a plan counts as so many programmes."""


A_PRICE: Final = 2
"""A programme with prices counts as so many without."""


@dataclass(slots=True)
class Meter:
    """What has been spent of a limit, in CP-SAT's deterministic time, which is about seconds."""

    limit: float = float("inf")
    spent: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether the limit is reached."""
        return self.spent >= self.limit

    def solved(self, rows: Matrix, programmes: float = 1, upper: Floats | None = None) -> None:
        """Count linear programmes with these rows; of columns that end at 0 nothing counts where `upper` is given."""
        terms = rows.factors.nnz if upper is None else int(np.count_nonzero(upper[rows.factors.indices]))
        self.spent += A_TERM * terms * programmes

    def affords(self, rows: Matrix, programmes: float) -> bool:
        """Whether the limit leaves room for so many linear programmes with these rows."""
        return bool(self.spent + A_TERM * rows.factors.nnz * programmes <= self.limit)
