"""Which forecaster to believe: the mean of their quantiles, weighted at each level by how well each did lately.

    L_i <- L_i + (pinball_i - L_i) / min(n_i, memory),    w_i ~ exp(-SHARPNESS * (L_i / min L - 1))

This is the exponentially weighted average forecaster (Cesa-Bianchi and Lugosi 2006, ch. 2) with losses that are
forgotten, and relative to the best, so that it does not depend on how large the counts are.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.demand.forecaster import Quantiles

SHARPNESS: Final = 20.0
"""A forecaster whose loss is 10 % above the best one's gets e^-2 of its weight."""
MEMORY: Final = 2000
"""Intervals that losses are averaged over."""
TRIAL: Final = 12
"""Forecasts that a forecaster is watched for before it counts beside others."""

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Loss:
    """The mean pinball loss of one forecaster by level, over `forecasts` of them."""

    forecasts: int
    by_level: tuple[float, ...]


def pinball(levels: Quantiles, quantiles: Table, count: float) -> Table:
    """max(level * e, (level - 1) * e) for e = count - quantile; the last axis is that of the levels."""
    errors = count - quantiles
    return np.asarray(np.maximum(levels * errors, (levels - 1) * errors))


def learned(loss: Loss, found: Quantiles) -> Loss:
    """The loss with one more forecast counted."""
    forecasts = loss.forecasts + 1
    rate = 1 / min(forecasts, MEMORY)
    return Loss(
        forecasts, tuple(old + rate * (new - old) for old, new in zip(loss.by_level, found.tolist(), strict=True))
    )


def mixed(losses: tuple[Loss, ...], quantiles: Table) -> Quantiles | None:
    """The weighted mean over forecasters, rows of `quantiles`; rows of NaN have nothing to say. None without any."""
    speaks = ~np.isnan(quantiles[:, 0]) & np.array([loss.forecasts >= TRIAL for loss in losses])
    if not speaks.any():
        return None
    table = np.array([loss.by_level for loss in losses])[speaks]
    relative = (table + 1e-9) / (table.min(axis=0) + 1e-9)
    weights = np.exp(-SHARPNESS * (relative - 1))
    return np.asarray((weights * quantiles[speaks]).sum(axis=0) / weights.sum(axis=0))
