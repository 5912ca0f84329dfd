"""How many instances a load has while its site is cut off: inside its envelope, by what its own server counts.

More come at once, as soon as requests ask for them. Fewer come one at a time, each after a while in which one less
would have been enough with room to spare. So a load that swings stays where its peaks want it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from controller.fleet import Seat
from controller.sites.site_plan import SiteLoad

CALM: Final = timedelta(minutes=3)
"""For so long one instance less has to be enough before there is one less."""
SPARE_PERMILLE: Final = 1250
"""So much of what arrives has to be served by one instance less."""
STALE: Final = timedelta(seconds=30)
"""What was counted so long ago says nothing about now."""


@dataclass(frozen=True, slots=True, order=True)
class Signal:
    """What was asked of a load: requests a second that ended, and those that waited, in thousandths.

    What waits is taken as if it were to be answered within the window that was counted.
    """

    seat: Seat
    at: datetime
    asked_milli_rps: int


@dataclass(frozen=True, slots=True, order=True)
class Choice:
    """The instances that a site has chosen for a load, and since when one less would be enough, if it would be."""

    seat: Seat
    instances: int
    calm_since: datetime | None = None


def scaled(item: SiteLoad, choice: Choice, signal: Signal, now: datetime) -> Choice:
    """The next choice. It is the same while there is nothing to go by."""
    if now - signal.at > STALE or item.capacity_milli_rps <= 0:
        return choice
    needed = _instances(signal.asked_milli_rps, item.capacity_milli_rps)
    if needed > choice.instances:
        return Choice(choice.seat, item.envelope.bounded(needed))
    with_spare = _instances(signal.asked_milli_rps * SPARE_PERMILLE // 1000, item.capacity_milli_rps)
    if item.envelope.bounded(with_spare) >= choice.instances:
        return replace(choice, calm_since=None)
    if choice.calm_since is None:
        return replace(choice, calm_since=now)
    if now - choice.calm_since < CALM:
        return choice
    return Choice(choice.seat, item.envelope.bounded(choice.instances - 1), now)


def _instances(milli_rps: int, each_milli_rps: int) -> int:
    return -(-milli_rps // each_milli_rps)
