"""Quantile windows by key, with a bound on the keys: they come from outside."""

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from collectors.catalogue import too_many_series
from collectors.snapshot import Quantiles, Reading
from collectors.windows import QuantileWindow
from policy.findings import Finding

MAX_SERIES: Final = 1000

Key = TypeVar("Key", bound=Hashable)


class WindowSeries(Generic[Key]):
    """A window for each key; a key whose window has run empty is forgotten."""

    def __init__(self, window: timedelta, max_series: int = MAX_SERIES) -> None:
        self._window = window
        self._max_series = max_series
        self._windows: dict[Key, QuantileWindow] = {}
        self._refused = 0

    def add(self, key: Key, at_us: int, value_us: int, adjusted_count: float) -> None:
        """Take an observation; it is refused, and counted, when its key would be one too many."""
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= self._max_series:
                self._refused += 1
                return
            window = self._windows[key] = QuantileWindow(self._window)
        window.add(at_us, value_us, adjusted_count)

    def readings(self, now: datetime, source: str) -> dict[Key, Reading[Quantiles]]:
        """A reading for each key with observations in the window, as old as the newest of them."""
        found = {key: (window.quantiles(now), window.newest()) for key, window in self._windows.items()}
        self._windows = {key: window for key, window in self._windows.items() if found[key][0] is not None}
        return {key: Reading(found[key][0], found[key][1], source) for key in self._windows}

    def findings(self, collector: str) -> tuple[Finding, ...]:
        """What was refused since the last call."""
        refused, self._refused = self._refused, 0
        return (too_many_series(refused, self._max_series, collector),) if refused else ()
