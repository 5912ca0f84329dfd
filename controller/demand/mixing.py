"""Which forecaster to believe: the mean of their quantiles, weighted at each level by how well each did lately.

    L_i <- L_i + (pinball_i - L_i) / min(n, memory),    w_i ~ exp(-SHARPNESS * (L_i / min L - 1))

This is the exponentially weighted average forecaster (Cesa-Bianchi and Lugosi 2006, ch. 2) with losses that are
forgotten, and relative to the best, so that it does not depend on how large the counts are. One that says nothing is
charged what was given in its place (Freund, Schapire, Singer and Warmuth 1997), so that all are compared over the same
outcomes.
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
LEAST_LOSS: Final = 1e-9
"""Added to losses, so that two of zero are alike."""
TRIAL: Final = 12
"""Forecasts that a forecaster is watched for before it counts."""

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Loss:
    """The mean pinball loss of one forecaster by level, over `outcomes`; it forecast `forecasts` of them itself."""

    outcomes: int
    forecasts: int
    by_level: tuple[float, ...]


def pinball(levels: Quantiles, quantiles: Table, count: float) -> Table:
    """max(level * e, (level - 1) * e) for e = count - quantile; the last axis is that of the levels."""
    errors = count - quantiles
    return np.asarray(np.maximum(levels * errors, (levels - 1) * errors))


def learned(loss: Loss, own: Quantiles | None, given: Quantiles) -> Loss:
    """The loss with one more outcome: by its own pinball losses, or where it said nothing, by the given ones."""
    rate = 1 / min(loss.outcomes + 1, MEMORY)
    found = (given if own is None else own).tolist()
    means = tuple(old + rate * (new - old) for old, new in zip(loss.by_level, found, strict=True))
    return Loss(loss.outcomes + 1, loss.forecasts + (own is not None), means)


def mixed(losses: tuple[Loss, ...], quantiles: Table) -> Quantiles | None:
    """The weighted mean over forecasters, rows of `quantiles`; rows of NaN have nothing to say. None without any."""
    heard = ~np.isnan(quantiles[:, 0]) & np.array([loss.forecasts >= TRIAL for loss in losses])
    if not heard.any():
        return None
    table = np.array([loss.by_level for loss in losses])[heard]
    relative = (table + LEAST_LOSS) / (table.min(axis=0) + LEAST_LOSS)
    weights = np.exp(-SHARPNESS * (relative - 1))
    return np.asarray((weights * quantiles[heard]).sum(axis=0) / weights.sum(axis=0))
