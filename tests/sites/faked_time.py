"""An event loop whose time goes on by itself: whoever waits is served at once, and an hour takes seconds."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any


class _Selector(selectors.DefaultSelector):
    """Waits for nothing: time is what passes instead."""

    def __init__(self, pass_time: Callable[[float], None]) -> None:
        super().__init__()
        self._pass_time = pass_time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout:
            self._pass_time(timeout)
        return found


class FakedTime(asyncio.SelectorEventLoop):
    """A loop that begins at 0 s."""

    def __init__(self) -> None:
        self._passed_s = 0.0
        super().__init__(_Selector(self._pass))

    def time(self) -> float:
        return self._passed_s

    def _pass(self, seconds: float) -> None:
        self._passed_s += seconds


def in_faked_time(work: Coroutine[Any, Any, None]) -> None:
    """Run it to its end."""
    with asyncio.Runner(loop_factory=FakedTime) as runner:
        runner.run(work)
