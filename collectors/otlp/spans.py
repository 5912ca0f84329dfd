"""A span as the collectors need it: plain, frozen, in nanoseconds since the epoch, and small whatever was posted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

KIND_CLIENT: Final = 3
STATUS_ERROR: Final = 2

MODEL_NAME: Final = "triton.model_name"
SERVICE: Final = "gridwright.service"
ORIGIN: Final = "gridwright.origin"
KEPT_ATTRIBUTES: Final = frozenset({MODEL_NAME, SERVICE, ORIGIN})

QUEUE_START: Final = "QUEUE_START"
COMPUTE_START: Final = "COMPUTE_START"
COMPUTE_END: Final = "COMPUTE_END"
KEPT_EVENTS: Final = frozenset({QUEUE_START, COMPUTE_START, COMPUTE_END})

MAX_TEXT_CHARACTERS: Final = 253


class Span(msgspec.Struct, frozen=True, gc=False):  # a frozen dataclass takes eight times as long to make
    """One span. `id` is unique: the trace's 16 bytes and the span's 8. `parent` is such an id too, or None at a root.

    Of its attributes and events (with the instant of the first of each name) it keeps only those that are read here.
    `adjusted_count` is how many spans it stands for, None when its sampler does not tell.
    """

    id: bytes
    parent: bytes | None
    kind: int
    start_ns: int
    end_ns: int
    failed: bool
    attributes: Mapping[str, str]
    events_ns: Mapping[str, int]
    adjusted_count: float | None = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a post held: its spans, and how many were refused because their ids or times are none."""

    spans: tuple[Span, ...]
    refused: int


def kept_attributes(pairs: Iterable[tuple[str | None, str | None]]) -> dict[str, str]:
    """Those that are read; a text that is too long to be a name, or no text (None), is none."""
    return {
        key: text for key, text in pairs if key in KEPT_ATTRIBUTES and key and text and len(text) <= MAX_TEXT_CHARACTERS
    }


def kept_events(pairs: Iterable[tuple[str | None, int]]) -> dict[str, int]:
    """The first instant of each event that is read."""
    first: dict[str, int] = {}
    for name, at_ns in pairs:
        if name in KEPT_EVENTS and name:
            first.setdefault(name, at_ns)
    return first
