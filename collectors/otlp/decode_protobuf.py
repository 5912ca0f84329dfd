"""OTLP's protocol buffers."""

from collections.abc import Iterator
from typing import Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # its stubs are a package apart
from opentelemetry.proto.trace.v1 import trace_pb2

from collectors.otlp.sampling import adjusted_count
from collectors.otlp.spans import (
    KEPT_ATTRIBUTES,
    KEPT_EVENTS,
    STATUS_ERROR,
    Decoded,
    Span,
    kept_attributes,
    kept_events,
)

# A message of two bytes costs hundreds in memory. So what is around the spans is walked over here, no more than so many
# fields of it, and each span is made a message by itself and let go of before the next. A field takes at least two
# bytes, which bounds the fields of a span by its length. A span of Triton's has 223 bytes.
MAX_FIELDS: Final = 200_000
MAX_SPAN_BYTES: Final = 2 * MAX_FIELDS
RESOURCE_SPANS: Final = 1  # the numbers of the fields that lead from ExportTraceServiceRequest to its spans
SCOPE_SPANS: Final = 2
SPANS: Final = 2
NO_TRACE: Final = bytes(16)
NO_SPAN: Final = bytes(8)
WIRE_VARINT: Final = 0
WIRE_BYTES: Final = 2
WIRE_FIXED_BYTES: Final = {1: 8, 5: 4}
VARINT_BITS: Final = 64


class NotProtobufError(ValueError):
    """The body is not an ExportTraceServiceRequest."""


def decode_protobuf(body: bytes) -> Decoded:
    """The spans of an export.

    Raises:
        NotProtobufError: For what is not such an export, or has more than `MAX_FIELDS` fields around its spans, or a
            span of more than `MAX_SPAN_BYTES`.
    """
    spans = []
    refused = 0
    try:
        for start, end in _located(body):
            span = _span(trace_pb2.Span.FromString(body[start:end]))
            if span is None:
                refused += 1
            else:
                spans.append(span)
    except (DecodeError, IndexError) as error:
        raise NotProtobufError(f"the body is not an OTLP trace export in protocol buffers: {error}") from error
    return Decoded(tuple(spans), refused)


def _located(body: bytes) -> Iterator[tuple[int, int]]:
    """Where each span starts and ends, in their order."""
    fields = 0
    path = (RESOURCE_SPANS, SCOPE_SPANS, SPANS)
    messages = [(0, len(body), 0)]
    while messages:
        at, end, depth = messages.pop()
        while at < end:
            fields += 1
            if fields > MAX_FIELDS:
                raise NotProtobufError(f"the body has more than {MAX_FIELDS} fields; send smaller batches")
            tag, at = _varint(body, at)
            start, at = _skip(body, at, tag & 7)
            if at > end:
                raise DecodeError(f"a field ends behind its message, at byte {at}")
            if not tag >> 3:
                raise DecodeError(f"a field numbered 0, before byte {at}")
            if tag != path[depth] << 3 | WIRE_BYTES:
                continue
            if depth == len(path) - 1:
                if at - start > MAX_SPAN_BYTES:
                    raise NotProtobufError(f"a span has more than {MAX_SPAN_BYTES} bytes; send smaller ones")
                yield start, at
            else:
                messages.append((at, end, depth))
                at, end, depth = start, at, depth + 1


def _skip(body: bytes, at: int, wire: int) -> tuple[int, int]:
    """Where the field's content starts and where it ends."""
    if wire == WIRE_VARINT:
        return at, _varint(body, at)[1]
    if wire == WIRE_BYTES:
        length, start = _varint(body, at)
        return start, start + length
    if wire in WIRE_FIXED_BYTES:
        return at, at + WIRE_FIXED_BYTES[wire]
    raise DecodeError(f"wire type {wire} at byte {at}")


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while body[at] & 0x80:
        value |= (body[at] & 0x7F) << shift
        shift += 7
        at += 1
        if shift >= VARINT_BITS:
            raise DecodeError(f"a number without end at byte {at}")
    return value | body[at] << shift, at + 1


def _span(span: trace_pb2.Span) -> Span | None:
    trace, own, parent = span.trace_id, span.span_id, span.parent_span_id
    start_ns, end_ns = span.start_time_unix_nano, span.end_time_unix_nano
    if not _is_id(trace, NO_TRACE) or not _is_id(own, NO_SPAN) or not start_ns or not end_ns:
        return None
    trace_state = span.trace_state
    # Reading a field of a message costs more than parsing it did: texts and instants are read only to be kept.
    return Span(
        id=trace + own,
        parent=trace + parent if _is_id(parent, NO_SPAN) else None,
        kind=span.kind,
        start_ns=start_ns,
        end_ns=end_ns,
        failed=span.HasField("status") and span.status.code == STATUS_ERROR,
        attributes=kept_attributes(
            [(key, item.value.string_value) for item in span.attributes if (key := item.key) in KEPT_ATTRIBUTES]
        ),
        events_ns=kept_events(
            [(name, event.time_unix_nano) for event in span.events if (name := event.name) in KEPT_EVENTS]
        ),
        adjusted_count=adjusted_count(trace_state) if trace_state else None,
    )


def _is_id(identity: bytes, none: bytes) -> bool:
    return len(identity) == len(none) and identity != none
