"""The pooled form as a linear programme, with its prices.

HiGHS solves it (Huangfu and Hall 2018) through scipy's `linprog`. Rows are divided by their largest factor: calls a
second in millionths stand beside permilles.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from controller.planning.pooled.form import PooledForm, PooledRow

Floats = NDArray[np.float64]

INFEASIBLE: Final = 2
"""The status of `linprog` for what has no solution."""
UNSOLVED: Final = 4
"""And for numbers that it cannot cope with."""
MOST_COST: Final = 1e5
"""Costs are taken down to this where they are the reason."""
FAR_TOO_MUCH: Final = 1e9
"""Of costs beyond this it is known that they are."""


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
    """[columns]: the change of the cost for one more of a column at an end of its range; 0 where both ends are one."""


def matrix(form: PooledForm) -> Matrix:
    """The rows of a form as arrays."""
    return arrays(form.rows, len(form.upper))


def arrays(rows: Sequence[PooledRow], columns: int) -> Matrix:
    """Rows as arrays of so many columns."""
    count = np.array([len(row.terms) for row in rows], np.int64)
    terms = np.array([term for row in rows for term in row.terms], np.float64).reshape(-1, 2)
    place = np.repeat(np.arange(count.size), count)
    scale = np.ones(count.size)
    np.maximum.at(scale, place, np.abs(terms[:, 1]))
    shape = (count.size, columns)
    factors = csr_array((terms[:, 1] / scale[place], (place, terms[:, 0].astype(np.int64))), shape=shape)
    lowest = np.array([-np.inf if row.lowest is None else row.lowest for row in rows], np.float64)
    highest = np.array([np.inf if row.highest is None else row.highest for row in rows], np.float64)
    return Matrix(factors, scale, lowest / scale, highest / scale)


def stacked(above: Matrix, below: Matrix) -> Matrix:
    """The rows of both; those above may have fewer columns."""
    columns = below.factors.shape[1]
    factors = above.factors
    wide = csr_array((factors.data, factors.indices, factors.indptr), shape=(factors.shape[0], columns))
    return Matrix(
        csr_array(vstack((wide, below.factors), format="csr")),
        np.concatenate((above.scale, below.scale)),
        np.concatenate((above.lowest, below.lowest)),
        np.concatenate((above.highest, below.highest)),
    )


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

    least = np.zeros(len(upper)) if lower is None else lower
    most = np.asarray(upper, np.float64)
    held = np.where(least == most, least, 0.0)
    free = np.flatnonzero(least != most)
    there = rows.factors @ held
    factors = rows.factors[:, free]
    lowest, highest = rows.lowest - there, rows.highest - there
    equal = rows.lowest == rows.highest
    above = np.flatnonzero(~equal & np.isfinite(rows.highest))
    below = np.flatnonzero(~equal & np.isfinite(rows.lowest))
    same = np.flatnonzero(equal)
    price_of = np.asarray(cost, np.float64)
    limits = {
        "A_ub": vstack((factors[above], -factors[below]), format="csr"),
        "b_ub": np.concatenate((highest[above], -lowest[below])),
        "A_eq": factors[same] if same.size else None,
        "b_eq": highest[same] if same.size else None,
        "bounds": np.stack((least[free], most[free]), axis=1),
    }
    dearest = float(np.abs(price_of[free]).max(initial=0.0))
    less = max(1.0, dearest / MOST_COST)
    unit = less if dearest > FAR_TOO_MUCH else 1.0
    found = linprog(price_of[free] / unit, method="highs", **limits)
    if found.status == UNSOLVED and unit != less:
        unit = less
        found = linprog(price_of[free] / unit, method="highs", **limits)
    if found.x is None:
        return None, found.status == INFEASIBLE
    price = np.zeros(rows.scale.size)
    price[above] += found.ineqlin.marginals[: above.size]
    price[below] -= found.ineqlin.marginals[above.size :]
    if same.size:
        price[same] = found.eqlin.marginals
    value, reduced = held, np.zeros(most.size)
    value[free] = found.x
    reduced[free] = found.lower.marginals + found.upper.marginals
    return Solution(float(price_of @ value), value, unit * price / rows.scale, unit * reduced), False
