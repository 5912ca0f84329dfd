"""One linear programme over pools: some of a pooled form's rows, as they are to hold, between the columns' ends."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.linear import Floats, Matrix
from rules.kernel.formulation import Budget
from rules.kernel.problem import Path

INSTANCE_PART = 0.01
"""What an instance counts beside a node when a plan is to be lean."""


class Programme(NamedTuple):
    """The columns are the form's, from 0 to `upper`; `at` tells which of the form's rows each row is.

    Where there is a plan, there is a solution without the columns that are `needless` (`ways.py`).
    """

    form: PooledForm
    rows: Matrix
    at: NDArray[np.int64]
    """[rows]"""
    upper: Floats
    """[columns]"""
    needless: NDArray[np.int64]

    def narrow(self) -> Floats:
        """[columns]: upper ends that leave out what is needless."""
        upper = self.upper.copy()
        upper[self.needless] = 0
        return upper

    def along(self, paths: Iterable[Path], options: Iterable[str]) -> Floats:
        """[columns]: upper ends at which only these paths, and instances of these options and of theirs, are open."""
        form, wanted = self.form, list(paths)
        standing = {option for path in wanted for option in path.options}.union(options)
        upper = self.upper.copy()
        upper[[*form.share.values(), *form.instances.values()]] = 0
        kept = [form.share[path.id] for path in wanted]
        kept += [form.instances[name] for name in standing if name in form.instances]
        upper[kept] = self.upper[kept]
        return upper


def lean(programme: Programme) -> Floats:
    """A cost that keeps nodes and instances few, the nodes by their price where a budget counts it."""
    form, rows = programme.form, programme.rows
    cost = np.zeros(programme.upper.size)
    cost[list(form.powered.values())] = 1.0
    cost[list(form.instances.values())] = INSTANCE_PART
    for row, at in enumerate(programme.at.tolist()):
        if isinstance(form.rows[at].source, Budget):
            ceiling = rows.highest[row] * rows.scale[row]
            for column, price in form.rows[at].terms:
                cost[column] += price / max(1.0, ceiling) * len(form.pool)
    return cost
