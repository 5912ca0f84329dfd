"""Instants and durations of spans, whose clocks may be wrong and whose posts may be late."""

from datetime import timedelta
from typing import Final

from collectors.catalogue import late_spans, skewed_spans
from policy.findings import Finding

TOLERANCE_US: Final = 1_000_000  # a span may end a little after the turn began that reads it
NS_PER_US: Final = 1000


class ClockCheck:
    """Clips what cannot be, drops what is too old to count, and counts both until it has told."""

    def __init__(self, window: timedelta) -> None:
        self._window_us = window // timedelta(microseconds=1)
        self._late = 0
        self._skewed = 0

    def duration_us(self, start_ns: int, end_ns: int) -> int:
        """From start to end; 0, and counted, when the end comes first."""
        if end_ns < start_ns:
            self._skewed += 1
            return 0
        return (end_ns - start_ns) // NS_PER_US

    def instant_us(self, at_ns: int, now_us: int) -> int | None:
        """When it was; `now_us` for what lies ahead, None for what is older than the window, and both are counted."""
        at_us = at_ns // NS_PER_US
        if at_us > now_us:
            self._skewed += at_us > now_us + TOLERANCE_US
            return now_us
        if at_us <= now_us - self._window_us:
            self._late += 1
            return None
        return at_us

    def findings(self, collector: str) -> tuple[Finding, ...]:
        """What was counted since the last call."""
        late, skewed = self._late, self._skewed
        self._late = self._skewed = 0
        return (
            *((late_spans(late, collector),) if late else ()),
            *((skewed_spans(skewed, collector),) if skewed else ()),
        )
