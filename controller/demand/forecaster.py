"""What every forecaster is: something fitted to the past, at times, and asked for quantiles at every interval."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from controller.demand.history import History

Quantiles = NDArray[np.float64]


class Fitted(Protocol):
    """A forecaster that has learnt; the same history always gives the same quantiles."""

    def forecast(self, history: History) -> Quantiles | None:
        """The count of the interval `horizon_intervals` after the last one, a value a level, not yet ordered.

        None says that the history is too short, or holds nothing where this forecaster looks.
        """


class Forecaster(Protocol):
    """Learns from a history alone: no clock, no chance, no state."""

    @property
    def name(self) -> str:
        """How reports call it."""

    @property
    def refit_intervals(self) -> int:
        """How many intervals a fit serves, at most; what a fit costs is spread over them."""

    def fit(self, history: History, horizon_intervals: int, levels: Sequence[float]) -> Fitted | None:
        """Learn to forecast at this horizon; None says that there is too little to learn from."""
