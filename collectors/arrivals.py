"""When the newest runs of each demand began, for how bursty they come."""

from collections.abc import Hashable
from datetime import datetime
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from collectors.burstiness import Burstiness
from collectors.dispersion import burstiness
from collectors.instants import instant, since_epoch_us
from collectors.snapshot import Reading

KEPT: Final = 4096
"""Arrivals of a key, the newest; 32 KiB."""
SPAN_US: Final = 60_000_000
FEWEST: Final = 1000
"""Below this many in the span, chance looks like bursts."""
MOST_KEYS: Final = 1000
US: Final = 1_000_000

Key = TypeVar("Key", bound=Hashable)


class _Ring:
    """The newest `KEPT` instants in us, in the order in which they were told."""

    def __init__(self) -> None:
        self._kept: NDArray[np.int64] = np.empty(KEPT, np.int64)
        self._told = 0
        self.whole = True

    def add(self, at_us: int) -> None:
        self._kept[self._told % KEPT] = at_us
        self._told += 1

    def instants_us(self) -> NDArray[np.int64]:
        return np.sort(self._kept[: min(self._told, KEPT)])


class ArrivalSeries(Generic[Key]):
    """Instants by key, of at most `MOST_KEYS` keys.

    The calmer half of the last minute counts: a rate that changes once looks like bursts only in the half that it
    changes in. A key of which only a sample is told has no reading: what is left out makes the rest look even.
    """

    def __init__(self) -> None:
        self._rings: dict[Key, _Ring] = {}

    def add(self, key: Key, at_us: int, adjusted_count: float) -> None:
        """Take an arrival that stands for `adjusted_count` of them."""
        ring = self._rings.get(key)
        if ring is None:
            if len(self._rings) >= MOST_KEYS:
                return
            ring = self._rings[key] = _Ring()
        ring.whole &= adjusted_count == 1.0
        ring.add(at_us)

    def readings(self, now: datetime, source: str) -> dict[Key, Reading[Burstiness]]:
        """A reading for each key with enough arrivals, as old as the newest of them that is not after `now`."""
        found = {}
        for key, ring in self._rings.items():
            instants_us = ring.instants_us()
            instants_us = instants_us[instants_us <= since_epoch_us(now)]
            if ring.whole and instants_us.size:
                instants_us = instants_us[instants_us > instants_us[-1] - SPAN_US]
                if instants_us.size >= FEWEST:
                    found[key] = Reading(_calmer_half(instants_us), instant(int(instants_us[-1])), source)
        return found


def _calmer_half(instants_us: NDArray[np.int64]) -> Burstiness:
    middle_us = (instants_us[0] + instants_us[-1]) // 2
    halves = (instants_us[instants_us <= middle_us], instants_us[instants_us > middle_us])
    told = [burstiness((half - half[0]) / US) for half in halves if half.size > 1]
    return min(told, key=lambda item: max(index or 0.0 for _, index in item.dispersion))
