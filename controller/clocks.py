"""Time that goes on whatever is done to the machine's clock.

How long a site is silent, or an entry is kept, is a span: setting the clock makes it neither longer nor shorter. What
sites are told of the time is an instant, and goes on from the latest that was told, as the agents' own does.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

Clock = Callable[[], datetime]
SET_FROM: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""A clock that shows less was not set yet: a machine without a battery begins in 1970."""


@dataclass(slots=True)
class Steady:
    """Instants that are as far apart as they were in truth: the clock is looked at once."""

    clock: Clock
    seconds: Callable[[], float] = time.monotonic
    _begun: datetime = field(init=False)
    _begun_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin."""
        self._begun, self._begun_s = self.clock(), self.seconds()

    def __call__(self) -> datetime:
        """The instant."""
        return self._begun + timedelta(seconds=self.seconds() - self._begun_s)


@dataclass(slots=True)
class NotAhead:
    """The clock, but never ahead of the time that has passed since it was first looked at when it was set."""

    clock: Clock
    seconds: Callable[[], float] = time.monotonic
    _steady: Steady = field(init=False)

    def __post_init__(self) -> None:
        """Begin."""
        self._steady = Steady(self.clock, self.seconds)

    def __call__(self) -> datetime:
        """The instant."""
        shown = self.clock()
        if self._steady() < SET_FROM <= shown:
            self._steady = Steady(self.clock, self.seconds)
        return min(shown, self._steady())


@dataclass(slots=True)
class NeverBack:
    """The clock; where it is set back, time goes on from the latest instant all the same, until the process ends.

    Evidence that has ended would count again, and a plan could be signed for a time that is over.
    """

    clock: Clock
    seconds: Callable[[], float] = time.monotonic
    _latest: datetime = field(init=False)
    _latest_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin."""
        self._latest, self._latest_s = self.clock(), self.seconds()

    def __call__(self) -> datetime:
        """The instant."""
        now_s = self.seconds()
        passed = timedelta(seconds=now_s - self._latest_s)
        self._latest, self._latest_s = max(self.clock(), self._latest + passed), now_s
        return self._latest
