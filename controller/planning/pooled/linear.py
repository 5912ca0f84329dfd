"""The pooled form as a linear programme, with its prices.

HiGHS solves it (Huangfu and Hall 2018) through scipy's `linprog`. Rows are divided by their largest factor: calls a
second in millionths stand beside permilles.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from controller.planning.pooled.form import PooledForm

Floats = NDArray[np.float64]

INFEASIBLE: Final = 2
"""The status of `linprog` for what has no solution."""


class Matrix(NamedTuple):
    """The rows of a pooled form, each divided by `scale`; an end that is open is infinite."""

    factors: csr_array
    """[rows, columns]"""
    scale: Floats
    lowest: Floats
    highest: Floats


class Solution(NamedTuple):
    """An optimum: what it costs, the columns' values, what one more of each row's limit costs, and reduced costs."""

    cost: float
    value: Floats
    """[columns]"""
    price: Floats
    """[rows]: the change of the cost for one more of the row's limit; 0 where it does not bind."""
    reduced: Floats
    """[columns]: the change of the cost for one more of a column that is at an end of its range."""


def matrix(form: PooledForm) -> Matrix:
    """The rows as arrays."""
    count = np.array([len(row.terms) for row in form.rows], np.int64)
    terms = np.array([term for row in form.rows for term in row.terms], np.float64).reshape(-1, 2)
    place = np.repeat(np.arange(count.size), count)
    scale = np.ones(count.size)
    np.maximum.at(scale, place, np.abs(terms[:, 1]))
    shape = (count.size, len(form.upper))
    factors = csr_array((terms[:, 1] / scale[place], (place, terms[:, 0].astype(np.int64))), shape=shape)
    lowest = np.array([-np.inf if row.lowest is None else row.lowest for row in form.rows], np.float64)
    highest = np.array([np.inf if row.highest is None else row.highest for row in form.rows], np.float64)
    return Matrix(factors, scale, lowest / scale, highest / scale)


def minimise(
    rows: Matrix,
    cost: Sequence[float] | Floats,
    upper: Sequence[float] | Floats,
    lower: Floats | None = None,
) -> Solution | None:
    """The cheapest solution with every column from its lower end (0) to its upper; None when none was found."""
    return attempt(rows, cost, upper, lower)[0]


def attempt(
    rows: Matrix,
    cost: Sequence[float] | Floats,
    upper: Sequence[float] | Floats,
    lower: Floats | None = None,
) -> tuple[Solution | None, bool]:
    """The cheapest solution, if one was found; and whether it is proven that there is none."""
    from scipy.optimize import linprog  # noqa: PLC0415 - half a second that a controller's start has no use for

    equal = rows.lowest == rows.highest
    above = np.flatnonzero(~equal & np.isfinite(rows.highest))
    below = np.flatnonzero(~equal & np.isfinite(rows.lowest))
    same = np.flatnonzero(equal)
    limited = vstack((rows.factors[above], -rows.factors[below]), format="csr")
    bounds = np.stack((np.zeros(len(upper)) if lower is None else lower, np.asarray(upper, np.float64)), axis=1)
    found = linprog(
        np.asarray(cost, np.float64),
        A_ub=limited,
        b_ub=np.concatenate((rows.highest[above], -rows.lowest[below])),
        A_eq=rows.factors[same] if same.size else None,
        b_eq=rows.highest[same] if same.size else None,
        bounds=bounds,
        method="highs",
    )
    if found.x is None:
        return None, found.status == INFEASIBLE
    price = np.zeros(rows.scale.size)
    price[above] += found.ineqlin.marginals[: above.size]
    price[below] -= found.ineqlin.marginals[above.size :]
    if same.size:
        price[same] = found.eqlin.marginals
    reduced = found.lower.marginals + found.upper.marginals
    return Solution(float(found.fun), found.x, price / rows.scale, reduced), False
