"""What arrived, interval by interval. An interval that nobody saw is missing, which is not the same as zero."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]

DAY_S: Final = 86_400
MOST_INTERVALS: Final = 23_040
"""Sixteen days of minutes."""
LEARNT_FROM: Final = 21_600
"""Fifteen of them: a fit of up to a day ago can be made again, the same to the last bit, from what is kept."""


class BadCountError(ValueError):
    """A count that no interval can have; the message says which."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The counts of one service at one origin, oldest first, bounded in length.

    `counts` holds NaN for a missing interval; `first_index` is that of `counts[0]`, counted in intervals from the start
    of some day, as Unix time is; `seen` is how many intervals there were ever, those dropped included.
    """

    interval_s: int
    first_index: int
    seen: int
    counts: Counts

    def __post_init__(self) -> None:
        if self.interval_s <= 0 or DAY_S % self.interval_s:
            raise BadCountError(f"an interval of {self.interval_s} s does not divide a day: choose one that does")

    @classmethod
    def of(cls, interval_s: int, counts: Iterable[float | None] = (), first_index: int = 0) -> Self:
        """A history of the given counts; None is a missing interval.

        Raises:
            BadCountError: for a count that is negative, infinite or not a number, or a broken interval length.
        """
        values = np.array([_checked(count) for count in counts], dtype=np.float64)
        kept = values[-MOST_INTERVALS:]
        return cls(interval_s, first_index + len(values) - len(kept), len(values), kept)

    def then(self, count: float | None) -> Self:
        """The history one interval later. Raises BadCountError as `of` does."""
        counts = np.append(self.counts, _checked(count))
        dropped = max(0, len(counts) - MOST_INTERVALS)
        return type(self)(self.interval_s, self.first_index + dropped, self.seen + 1, counts[dropped:])

    def without_newest(self, count: int) -> Self:
        """The history as it was so many intervals ago, as far as it is kept."""
        left = max(0, len(self.counts) - count)
        gone = len(self.counts) - left
        return type(self)(self.interval_s, self.first_index, self.seen - gone, self.counts[:left])

    def when_seen(self, seen: int) -> Self:
        """The last LEARNT_FROM intervals of the first `seen` ones: the same whenever it is asked for within a day."""
        end = max(0, len(self.counts) - (self.seen - seen))
        start = max(0, end - LEARNT_FROM)
        return type(self)(self.interval_s, self.first_index + start, seen, self.counts[start:end])

    @property
    def end_index(self) -> int:
        """The index of the interval that comes next."""
        return self.first_index + len(self.counts)

    @property
    def day(self) -> int:
        """Intervals in a day."""
        return DAY_S // self.interval_s

    @property
    def known(self) -> int:
        """How many of the intervals that are kept are not missing."""
        return int(np.isfinite(self.counts).sum())

    @property
    def last(self) -> float | None:
        """The last interval's count, None when it is missing or there is none."""
        return None if not len(self.counts) or math.isnan(self.counts[-1]) else float(self.counts[-1])


def _checked(count: float | None) -> float:
    """The count, NaN in place of None."""
    if count is None:
        return math.nan
    if not math.isfinite(count) or count < 0:
        raise BadCountError(f"{count} arrivals are no count: give a number from 0, or None where nothing was seen")
    return float(count)
