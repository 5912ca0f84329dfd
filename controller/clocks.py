"""Time that goes on whatever is done to the machine's clock.

How long a site is silent, or an entry is kept, is a span: setting the clock makes it neither longer nor shorter. What
sites are told of the time is an instant, and goes on from the latest that was told, as the agents' own does.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Clock = Callable[[], datetime]


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
