"""Estimates that belong together, such as one model's on several devices, drawn towards each other.

Each estimate x_i has its own sampling variance v_i, and the true values of a group scatter around a common centre with
variance t^2. The scatter is DerSimonian and Laird's moment estimate (Controlled Clinical Trials 7, 1986), which a group
of two or three determines badly, so it is averaged with an expected scatter that counts as a few degrees of freedom:

    t^2 = (weight * expected^2 + (n - 1) * t_DL^2) / (weight + n - 1)

What an estimate is drawn towards is the centre of the *others*, a normal distribution again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Belief:
    """A normal distribution: what is held true of a quantity before it is measured."""

    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class Scatter:
    """What is expected of a group: that true values stand apart by `expected`, worth `weight` degrees of freedom."""

    expected: float
    weight: float


def beliefs(values: Sequence[float], variances: Sequence[float], centre: Belief, scatter: Scatter) -> list[Belief]:
    """What the others of a group say about each of its values, before that value's own measurement is looked at.

    `centre` is held true of the group's centre when it has no other member.
    """
    x, v = np.asarray(values, dtype=float), np.asarray(variances, dtype=float)
    between = _between(x, v, scatter)
    found = []
    for i in range(len(x)):
        others = np.arange(len(x)) != i
        weights = 1 / (v[others] + between)
        precision = 1 / centre.variance + float(weights.sum())
        mean = (centre.mean / centre.variance + float((weights * x[others]).sum())) / precision
        found.append(Belief(mean, 1 / precision + between))
    return found


def _between(x: np.ndarray, v: np.ndarray, scatter: Scatter) -> float:
    """The variance of the true values around their centre."""
    freedom = len(x) - 1
    if not freedom:
        return scatter.expected**2
    weights = 1 / v
    total = float(weights.sum())
    spread = float((weights * (x - (weights * x).sum() / total) ** 2).sum())
    moment = max(0.0, (spread - freedom) / (total - float((weights**2).sum()) / total))
    return (scatter.weight * scatter.expected**2 + freedom * moment) / (scatter.weight + freedom)
