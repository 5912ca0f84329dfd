"""Counters over a sliding window: what was added, through restarts that set them back to zero."""

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


def deltas(previous: Mapping[Key, int], current: Mapping[Key, int]) -> dict[Key, int]:
    """What each counter of `current` gained since `previous`.

    A counter below its predecessor was set back to zero in between, and a counter that was not there before began at
    zero: both gained what they now show. A counter that is gone gained nothing that can be known. The rule for resets
    is that of Prometheus's `increase`.
    """
    gained = {}
    for key, total in current.items():
        before = previous.get(key, 0)
        gained[key] = total - before if total >= before else total
    return gained


@dataclass(frozen=True, slots=True)
class Increase(Generic[Key]):
    """What counters gained from `start` to `end`. A key without an entry is not exposed by the source any more."""

    start: datetime
    end: datetime
    gained: Mapping[Key, int]

    @property
    def window_s(self) -> float:
        """The time it covers, in seconds; above 0."""
        return (self.end - self.start).total_seconds()


class CounterWindow(Generic[Key]):
    """Samples of a source's counters, kept for `window`.

    The increase reaches back to the last sample at or before the window's start, so it may cover up to one sampling
    interval more than `window`. After a gap longer than `window` it starts anew: what happened in the gap is unknown,
    and spreading the requests after it over the gap would read as too little demand. So it does where the clock was set
    back: else nothing would count before the clock is there again.
    """

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._last: tuple[datetime, Mapping[Key, int]] | None = None
        self._steps: deque[Increase[Key]] = deque()

    def add(self, at: datetime, totals: Mapping[Key, int]) -> None:
        """Take a sample. A second one of the same instant is ignored."""
        if self._last is not None:
            before, previous = self._last
            if at == before:
                return
            if not timedelta() < at - before <= self._window:
                self._steps.clear()
            else:
                self._steps.append(Increase(before, at, deltas(previous, totals)))
        self._last = (at, dict(totals))
        while self._steps and self._steps[0].end <= at - self._window:
            self._steps.popleft()

    def increase(self) -> Increase[Key] | None:
        """What the counters of the newest sample gained over the window; None before there are two samples."""
        if not self._steps:
            return None
        newest = self._steps[-1]
        gained = {key: sum(step.gained.get(key, 0) for step in self._steps) for key in newest.gained}
        return Increase(self._steps[0].start, newest.end, gained)
