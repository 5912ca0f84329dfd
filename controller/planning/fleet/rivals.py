"""Searches of one problem beside each other, one a core: which of them ends best only chance tells."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from controller.planning.fleet.search import HOTTEST, WARM, Search, search_for

MOST_RIVALS: Final = 4
"""More of them find little more, and each keeps a plan and its arrays."""
WITHIN: Final = 0.5
"""The part of a new plan's cooling down that keeps to the nodes which divided instances would power."""


ENDED: Final = object()


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a search is to have cooled down, on `time.perf_counter`; and whether it begins on few nodes."""

    until: float
    is_new: bool


class Rival:
    """One search, from its first plan until it has cooled down; one thread at a time may run it."""

    def __init__(self, begin: Callable[[], Search], schedule: Schedule) -> None:
        self.search: Search | None = None
        self.tries = 0
        self._steps = self._course(begin, schedule)

    @property
    def cost(self) -> float:
        """Of its best plan, in dollars an hour; endless before there is one."""
        return self.search.cost if self.search else float("inf")

    def run(self, until: float, stop: threading.Event | None = None) -> Iterator[None]:
        """Go on until then, `stop` or the end; pauses about every 20 ms."""
        while time.perf_counter() < until and not (stop and stop.is_set()):
            if next(self._steps, ENDED) is ENDED:
                return
            yield

    def _course(self, begin: Callable[[], Search], schedule: Schedule) -> Iterator[None]:
        self.search = search = begin()
        yield
        if schedule.is_new:
            yield from self._cool(search, WITHIN * (schedule.until - time.perf_counter()))
            search.open_up()
        yield from self._cool(search, schedule.until - time.perf_counter(), WARM if schedule.is_new else HOTTEST[1])

    def _cool(self, search: Search, seconds: float, hottest: float = HOTTEST[1]) -> Iterator[None]:
        before = self.tries
        for step in search_for(search, max(0.0, seconds), hottest):
            self.tries = before + step.tries
            yield


def raced(rivals: Sequence[Rival], until: float) -> Iterator[None]:
    """Run all until then, the first in this thread and each other in its own; pauses as the first does.

    None goes on when the first has ended, or nobody asks any more.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(max(1, len(rivals) - 1), "rival") as threads:
        others = [threads.submit(_exhaust, rival.run(until, stop)) for rival in rivals[1:]]
        try:
            yield from rivals[0].run(until)
        finally:
            stop.set()
        for other in others:
            other.result()


def _exhaust(steps: Iterator[None]) -> None:
    for _ in steps:
        pass
