"""Spans between the receiver, which takes them when they come, and a collector, which reads them when it is asked."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from collectors.otlp.spans import Span

CAPACITY_SPANS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Batch:
    """The spans of one post, and the pool that posted them (empty for an application)."""

    pool: str
    spans: tuple[Span, ...]


class Inbox:
    """A bounded queue of batches. It refuses what does not fit: the sender keeps it and tries again."""

    def __init__(self, capacity_spans: int = CAPACITY_SPANS) -> None:
        self._capacity = capacity_spans
        self._batches: deque[Batch] = deque()
        self._held = 0

    @property
    def full(self) -> bool:
        """Whether not one more span fits."""
        return self._held >= self._capacity

    @property
    def capacity_spans(self) -> int:
        """How many spans may wait; a batch of more never fits."""
        return self._capacity

    def offer(self, batch: Batch) -> bool:
        """Take the batch; False when it does not fit."""
        if self._held + len(batch.spans) > self._capacity:
            return False
        self._held += len(batch.spans)
        self._batches.append(batch)
        return True

    def drain(self) -> tuple[Batch, ...]:
        """All batches, oldest first; they are gone from the inbox."""
        batches = tuple(self._batches)
        self._batches.clear()
        self._held = 0
        return batches
