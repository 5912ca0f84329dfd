"""A lower bound that rises beside a search."""

import threading
from collections.abc import Iterable

from controller.planning.fleet.bound import Bound
from controller.planning.fleet.packed import PackedProblem


class Proving:
    """A bound that rises in a thread of its own for some rounds, once it has waited for so many seconds."""

    def __init__(self, problem: PackedProblem, wait_s: float, rounds: Iterable[int]) -> None:
        self.proven = 0.0
        self._wait_s = wait_s
        self._rounds = rounds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._prove, args=(problem,), name="bound")
        self._thread.start()

    def stop(self) -> None:
        """Let the round that has begun be the last; only the end of the process waits for it."""
        self._stopped.set()

    def _prove(self, problem: PackedProblem) -> None:
        if self._stopped.wait(self._wait_s):
            return
        bound = Bound(problem)
        for _ in self._rounds:
            if self._stopped.is_set():
                return
            self.proven = bound.improve()
