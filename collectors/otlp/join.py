"""Putting a request of Triton together from its two spans, which come in either order and in different posts."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from collectors.otlp.ids import SeenIds
from collectors.otlp.spans import COMPUTE_END, COMPUTE_START, MODEL_NAME, QUEUE_START, Span

CAPACITY: Final = 50_000
KEPT_FOR: Final = timedelta(seconds=60)

Half = TypeVar("Half")


@dataclass(frozen=True, slots=True)
class Queued:
    """From a model's span: what was asked for, since when it waited, and how many such requests it stands for."""

    triton_name: str
    queue_start_ns: int
    adjusted_count: float | None


@dataclass(frozen=True, slots=True)
class Computed:
    """From its child `compute`."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Served:
    """A request that was computed. Triton writes no `compute` for one that failed before it came to that."""

    queued: Queued
    computed: Computed


class _Waiting(Generic[Half]):
    """Halves by the id of the model's span; bounded in number and age, the oldest go first and are counted."""

    def __init__(self) -> None:
        self._halves: OrderedDict[bytes, tuple[datetime, Half]] = OrderedDict()
        self.forgotten = 0

    def put(self, identity: bytes, half: Half, now: datetime) -> None:
        self._halves[identity] = (now, half)
        self.forget(now - KEPT_FOR)

    def take(self, identity: bytes) -> Half | None:
        _, half = self._halves.pop(identity, (None, None))
        return half

    def forget(self, until: datetime) -> None:
        while self._halves and (len(self._halves) > CAPACITY or next(iter(self._halves.values()))[0] < until):
            self._halves.popitem(last=False)
            self.forgotten += 1

    def __len__(self) -> int:
        return len(self._halves)


class RequestJoin:
    """Joins spans of one server, each request once: `seen` knows those that were joined.

    Halves without a counterpart are forgotten after `KEPT_FOR`.
    """

    def __init__(self, seen: SeenIds) -> None:
        self._seen = seen
        self._queued = _Waiting[Queued]()
        self._computed = _Waiting[Computed]()

    def add(self, span: Span, now: datetime) -> Served | None:
        """The request that this span completes; None while it does not, or when that request was joined before."""
        if (queued := _queued(span)) is not None:
            identity = span.id
            computed = self._computed.take(identity)
        elif span.parent is not None and (computed := _computed(span)) is not None:
            identity = span.parent
            queued = self._queued.take(identity)
        else:
            return None
        if queued is not None and computed is not None:
            return Served(queued, computed) if self._seen.first_time(identity, now) else None
        if identity not in self._seen:
            if queued is not None:
                self._queued.put(identity, queued, now)
            elif computed is not None:
                self._computed.put(identity, computed, now)
        return None

    def orphans(self, now: datetime) -> int:
        """How many computations were forgotten since the last call because the span of their model never came."""
        self._queued.forget(now - KEPT_FOR)
        self._computed.forget(now - KEPT_FOR)
        orphans, self._computed.forgotten = self._computed.forgotten, 0
        return orphans

    def __len__(self) -> int:
        return len(self._queued) + len(self._computed)


def _queued(span: Span) -> Queued | None:
    name = span.attributes.get(MODEL_NAME)
    start_ns = span.events_ns.get(QUEUE_START)
    return Queued(name, start_ns, span.adjusted_count) if name is not None and start_ns is not None else None


def _computed(span: Span) -> Computed | None:
    start_ns, end_ns = span.events_ns.get(COMPUTE_START), span.events_ns.get(COMPUTE_END)
    return Computed(start_ns, end_ns) if start_ns is not None and end_ns is not None else None
