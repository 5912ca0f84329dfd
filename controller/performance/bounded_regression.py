"""Linear regression kept as sums, with a ridge towards a prior and with bounds: y = level (1 + slope_1 x_1 + ...).

The sums are those of w z z' over the observations, with z = (1, x_1, x_2, ..., y), so that an observation is taken in
by adding to them, and forgotten by shrinking them. The prior is added when they are solved, and so is never forgotten.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RIDGE: Final = 0.005
"""The weight of the prior beside an observation: its noise (3 %) over the spread of slopes (0.4), squared."""
HIGHEST: Final = 1.0
"""The highest slope; the lowest is 0."""


def bounded_slopes(sums: Floats, prior: Floats) -> Floats:
    """The slopes that fit best; the prior's before anything was observed.

    A slope that comes out beyond a bound is set to it, the furthest one first, and the others are sought again.
    """
    if sums[0, 0] == 0:
        return prior
    normal = _with_ridge(sums[:-1, :-1], prior)
    bound: dict[int, float] = {}
    while True:
        basis = _basis(prior.size, bound)
        solved = basis @ np.linalg.solve(basis.T @ normal @ basis, basis.T @ sums[:-1, -1])
        if solved[0] <= 0:
            return prior
        slopes: Floats = solved[1:] / solved[0]
        within: Floats = np.clip(slopes, 0.0, HIGHEST)
        beyond = np.abs(slopes - within)
        beyond[list(bound)] = 0.0
        if not beyond.any():
            return within
        furthest = int(beyond.argmax())
        bound[furthest] = float(within[furthest])


def _with_ridge(normal: Floats, prior: Floats) -> Floats:
    """The normal matrix with `RIDGE` times the squares of (level * slope - level * prior)."""
    ridged = normal.copy()
    ridged[0, 0] += RIDGE * float(prior @ prior)
    ridged[0, 1:] -= RIDGE * prior
    ridged[1:, 0] -= RIDGE * prior
    ridged[1:, 1:] += RIDGE * np.eye(prior.size)
    return ridged


def _basis(count: int, bound: dict[int, float]) -> Floats:
    """The directions that are left: the level, together with the slopes at their bounds, and every free slope."""
    free = [at for at in range(count) if at not in bound]
    basis = np.zeros((count + 1, 1 + len(free)))
    basis[0, 0] = 1.0
    for at, slope in bound.items():
        basis[at + 1, 0] = slope
    for column, at in enumerate(free, 1):
        basis[at + 1, column] = 1.0
    return basis


def packed(sums: Floats) -> tuple[float, ...]:
    """The lower triangle, row by row."""
    return tuple(sums[np.tril_indices(len(sums))].tolist())


def unpacked(triangle: Sequence[float]) -> Floats:
    """The symmetric matrix of a lower triangle."""
    size = int((2 * len(triangle)) ** 0.5)
    lower = np.zeros((size, size))
    lower[np.tril_indices(size)] = triangle
    whole: Floats = lower + np.tril(lower, -1).T
    return whole
