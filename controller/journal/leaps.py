"""Leaps of the clock between decisions, and by them when a decision was noted in truth, as far as that can be told.

The order of entries is certain, their instants are not: a clock may have run ahead, or not have been set yet. Where two
clocks may be right, what is to be kept for a while is rather kept longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controller.clocks import SET_FROM

LEAP: Final = "leap"
LEAST: Final = timedelta(hours=1)
"""By less than this nothing is kept noticeably longer."""


@dataclass(frozen=True, slots=True)
class Leap:
    """That a decision was noted at `at` right after one that was noted at `before`, as both clocks showed it."""

    before: datetime
    at: datetime

    @property
    def is_back(self) -> bool:
        """Whether the clock shows less than before."""
        return self.at < self.before


Leaps = Sequence[tuple[int, Leap]]
"""Each with the sequence number of its entry, which stands right before that of the decision; in order."""


def leap_to(before: datetime | None, at: datetime) -> Leap | None:
    """The leap from one decision to the next; None where it is none. A controller that was stopped leaps, too."""
    return Leap(before, at) if before is not None and abs(at - before) >= LEAST else None


def noted_at(sequence: int, at: datetime, leaps: Leaps) -> datetime:
    """When an entry was noted at the latest.

    - Where the clock went back later, it had run ahead: what stands before was noted by then.
    - Unless it leapt ahead again by as much: then it may have been behind meanwhile, and what stands between was noted
      by the end of that.
    - What a clock showed that was not set yet counts as of when it was.
    """
    later = [(place, leap) for place, leap in leaps if place > sequence]
    for place, back in leaps:
        if not back.is_back:
            continue
        ends, forward = next(
            ((where, leap) for where, leap in leaps if where > place and _undoes(leap, back)), (0, back)
        )
        if not ends and place > sequence:
            at = min(at, back.at)
        elif place < sequence < ends:
            at = max(at, forward.at)
    if at < SET_FROM:
        return next((leap.at for _, leap in later if leap.at >= SET_FROM), at)
    return at


def _undoes(forward: Leap, back: Leap) -> bool:
    return forward.at - forward.before >= back.before - back.at
