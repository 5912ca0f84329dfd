"""Whose turn it is to be asked: all servers of a small fleet at each turn, those of a large one in rotation."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

AT_ONCE: Final = 32
"""Servers that one collector asks at the same time: more would wait for this process, and pass for slow ones."""
EACH_TURN: Final = 200
"""So many servers are asked at each turn."""


class Asked(NamedTuple):
    """A server as one process: one that was started anew has another `process`, and is not what was asked before."""

    pool: str
    node: str
    process: str = ""


class Rotation:
    """Beyond `EACH_TURN` servers, each is asked again once its reading is half as old as the policy lets it be.

    Servers that are new, or were started anew, are asked at once. Their later turns are spread over that time, and stay
    so: of those that a long turn made late, each has its next turn when it would have had it anyway. Where the clock
    was set back, what was asked later than it shows is asked at once: it would pass for new until the clock is there.
    """

    def __init__(
        self, servers: Callable[[], Iterable[Asked]], interval_s: Callable[[], int], stale_after_s: Callable[[], int]
    ) -> None:
        """`interval_s` is from one turn to the next, and `stale_after_s` how old readings may be, by the policy."""
        self._servers = servers
        self._interval_s = interval_s
        self._stale_after_s = stale_after_s
        self._asked: dict[Asked, datetime] = {}
        self._now: datetime | None = None
        self._due: frozenset[Asked] = frozenset()

    def due(self, now: datetime) -> frozenset[Asked]:
        """The servers to ask at `now`; the same ones to all who ask for that instant."""
        if now != self._now:
            self._now, self._due = now, self._next(now)
        return self._due

    def every(self) -> timedelta:
        """From one asking of a server to the next."""
        return max(timedelta(seconds=self._interval_s()), self._apart(len(self._asked)))

    def again(self, servers: Collection[tuple[str, str]]) -> None:
        """Have servers asked the next time, by pool and node: something was done to them, or seen of them."""
        for each in [each for each in self._asked if (each.pool, each.node) in servers]:
            del self._asked[each]

    def _apart(self, servers: int) -> timedelta:
        """The time that has to pass before a server is asked again; none where that is each turn."""
        return timedelta(seconds=self._stale_after_s() / 2 if servers > EACH_TURN else 0)

    def _next(self, now: datetime) -> frozenset[Asked]:
        servers = tuple(self._servers())
        apart = self._apart(len(servers))
        known = {each: self._asked[each] for each in servers if each in self._asked}
        new = [each for each in servers if each not in known]
        due = [each for each, at in known.items() if not at <= now < at + apart]
        spread = {each: now - apart * (place / len(new)) for place, each in enumerate(new)}
        asked = {each: _turn(known[each], now, apart) for each in due}
        self._asked = {**known, **asked, **spread}
        return frozenset((*due, *new))


def _turn(before: datetime, now: datetime, apart: timedelta) -> datetime:
    """When the turn was that is taken now, by one taken before."""
    return before + apart * ((now - before) // apart) if apart else now
