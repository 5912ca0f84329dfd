"""Putting a request of Triton together from its two spans, which come in either order and in different posts."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from collectors.otlp.spans import COMPUTE_END, COMPUTE_START, MODEL_NAME, QUEUE_START, Span

CAPACITY: Final = 20_000
KEPT_FOR: Final = timedelta(seconds=60)

Half = TypeVar("Half")


@dataclass(frozen=True, slots=True)
class Queued:
    """From a model's span: what was asked for, and since when it waited."""

    triton_name: str
    queue_start_ns: int


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
    """Halves by the id of the model's span; bounded in number and age, the oldest go first."""

    def __init__(self) -> None:
        self._halves: OrderedDict[bytes, tuple[datetime, Half]] = OrderedDict()

    def put(self, identity: bytes, half: Half, now: datetime) -> None:
        self._halves[identity] = (now, half)
        while len(self._halves) > CAPACITY or next(iter(self._halves.values()))[0] < now - KEPT_FOR:
            self._halves.popitem(last=False)

    def take(self, identity: bytes) -> Half | None:
        _, half = self._halves.pop(identity, (None, None))
        return half

    def __len__(self) -> int:
        return len(self._halves)


class RequestJoin:
    """Joins spans of one server. Halves without a counterpart are forgotten after `KEPT_FOR`."""

    def __init__(self) -> None:
        self._queued = _Waiting[Queued]()
        self._computed = _Waiting[Computed]()

    def add(self, span: Span, now: datetime) -> Served | None:
        """The request that this span completes; None while it does not."""
        if (queued := _queued(span)) is not None:
            computed = self._computed.take(span.id)
            if computed is None:
                self._queued.put(span.id, queued, now)
            return Served(queued, computed) if computed else None
        if span.parent is not None and (computed := _computed(span)) is not None:
            queued = self._queued.take(span.parent)
            if queued is None:
                self._computed.put(span.parent, computed, now)
            return Served(queued, computed) if queued else None
        return None

    def __len__(self) -> int:
        return len(self._queued) + len(self._computed)


def _queued(span: Span) -> Queued | None:
    name = span.attributes.get(MODEL_NAME)
    start_ns = span.events_ns.get(QUEUE_START)
    return Queued(name, start_ns) if name is not None and start_ns is not None else None


def _computed(span: Span) -> Computed | None:
    start_ns, end_ns = span.events_ns.get(COMPUTE_START), span.events_ns.get(COMPUTE_END)
    return Computed(start_ns, end_ns) if start_ns is not None and end_ns is not None else None
