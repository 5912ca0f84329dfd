"""OTLP's JSON: ids in hex, 64-bit integers as strings or numbers, enums as numbers, unknown fields passed over."""

from typing import Annotated, Final

import msgspec

from collectors.otlp.sampling import adjusted_count
from collectors.otlp.spans import STATUS_ERROR, Decoded, Span, kept_attributes, kept_events

# An object of two bytes costs over a hundred in memory, so they are counted before they are made. A span of Triton's
# has about 15 in 700 bytes.
MAX_OBJECTS: Final = 200_000
NO_TRACE: Final = bytes(16)
NO_SPAN: Final = bytes(8)

Nanoseconds = Annotated[int, msgspec.Meta(ge=0)] | None


class NotJsonError(ValueError):
    """The body is not an OTLP/JSON trace export."""


# Left out of the rounds of the garbage collector (gc=False), which cost more than decoding: none can hold itself.
class AnyValue(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A text; other values are passed over."""

    string_value: str | None = None


class KeyValue(msgspec.Struct, frozen=True, gc=False):
    """An attribute."""

    key: str | None = None
    value: AnyValue | None = None


class JsonEvent(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A span's event."""

    name: str | None = None
    time_unix_nano: Nanoseconds = None


class JsonStatus(msgspec.Struct, frozen=True, gc=False):
    """A span's status."""

    code: int | None = None


class JsonSpan(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A span; null and absence both stand for a field's default, as in every JSON of protocol buffers."""

    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    trace_state: str | None = None
    kind: int | None = None
    start_time_unix_nano: Nanoseconds = None
    end_time_unix_nano: Nanoseconds = None
    attributes: list[KeyValue] | None = None
    events: list[JsonEvent] | None = None
    status: JsonStatus | None = None


class ScopeSpans(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The spans of one instrumentation."""

    spans: list[JsonSpan] | None = None


class ResourceSpans(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The spans of one process."""

    scope_spans: list[ScopeSpans] | None = None


class Export(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An ExportTraceServiceRequest."""

    resource_spans: list[ResourceSpans] | None = None


# Not strict: that is how "1795458858205297608" is read as the integer that it is.
DECODER: Final = msgspec.json.Decoder(Export, strict=False)


def decode_json(body: bytes) -> Decoded:
    """The spans of an export.

    Raises:
        NotJsonError: For what is not such an export, or has more than `MAX_OBJECTS` objects.
    """
    if body.count(b"{") > MAX_OBJECTS:
        raise NotJsonError(f"the body has more than {MAX_OBJECTS} objects; send smaller batches")
    try:
        export = DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotJsonError(f"the body is not an OTLP trace export in JSON: {error}") from error
    raw = [
        span
        for resource in export.resource_spans or ()
        for scope in resource.scope_spans or ()
        for span in scope.spans or ()
    ]
    spans = tuple(plain for span in raw if (plain := _span(span)))
    return Decoded(spans, len(raw) - len(spans))


def _span(span: JsonSpan) -> Span | None:
    trace = _id(span.trace_id, NO_TRACE)
    own = _id(span.span_id, NO_SPAN)
    parent = _id(span.parent_span_id, NO_SPAN)
    if trace is None or own is None or not span.start_time_unix_nano or not span.end_time_unix_nano:
        return None
    return Span(
        id=trace + own,
        parent=trace + parent if parent else None,
        kind=span.kind or 0,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        failed=span.status is not None and span.status.code == STATUS_ERROR,
        attributes=kept_attributes(
            [(item.key, item.value.string_value) for item in span.attributes or () if item.value]
        ),
        events_ns=kept_events([(event.name, event.time_unix_nano or 0) for event in span.events or ()]),
        adjusted_count=adjusted_count(span.trace_state) if span.trace_state else None,
    )


def _id(text: str | None, none: bytes) -> bytes | None:
    if not text or len(text) != 2 * len(none):
        return None
    try:
        identity = bytes.fromhex(text)
    except ValueError:
        return None
    return identity if len(identity) == len(none) and identity != none else None  # fromhex passes over spaces
