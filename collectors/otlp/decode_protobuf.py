"""OTLP's protocol buffers."""

from typing import Final

from google.protobuf.descriptor import Descriptor  # type: ignore[import-untyped]  # its stubs are a package apart
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # the same
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2

from collectors.otlp.spans import STATUS_ERROR, Decoded, Span, kept_attributes, kept_events

# A message of two bytes costs hundreds in memory, so fields are counted before they are made. A span of Triton's has
# about 40 in 500 bytes.
MAX_FIELDS: Final = 200_000
TRACE_ID_BYTES: Final = 16
SPAN_ID_BYTES: Final = 8
WIRE_VARINT: Final = 0
WIRE_BYTES: Final = 2
WIRE_FIXED_BYTES: Final = {1: 8, 5: 4}
VARINT_BITS: Final = 64


class NotProtobufError(ValueError):
    """The body is not an ExportTraceServiceRequest."""


def decode_protobuf(body: bytes) -> Decoded:
    """The spans of an export.

    Raises:
        NotProtobufError: For what is not such an export, or has more than `MAX_FIELDS` fields.
    """
    try:
        _bound_fields(body)
        export = ExportTraceServiceRequest.FromString(body)
    except (DecodeError, IndexError) as error:
        raise NotProtobufError(f"the body is not an OTLP trace export in protocol buffers: {error}") from error
    raw = [span for resource in export.resource_spans for scope in resource.scope_spans for span in scope.spans]
    spans = tuple(plain for span in raw if (plain := _span(span)))
    return Decoded(spans, len(raw) - len(spans))


def _bound_fields(body: bytes) -> None:
    """Walk over the fields of all messages, nested ones too; NotProtobufError at the first one too many."""
    messages: list[tuple[int, int, Descriptor]] = [(0, len(body), ExportTraceServiceRequest.DESCRIPTOR)]
    fields = 0
    while messages:
        at, end, kind = messages.pop()
        while at < end:
            fields += 1
            if fields > MAX_FIELDS:
                raise NotProtobufError(f"the body has more than {MAX_FIELDS} fields; send smaller batches")
            tag, at = _varint(body, at)
            start, at = _skip(body, at, tag & 7)
            field = kind.fields_by_number.get(tag >> 3)
            if field is not None and field.message_type is not None and tag & 7 == WIRE_BYTES:
                messages.append((start, min(at, end), field.message_type))


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
    identified = _is_id(span.trace_id, TRACE_ID_BYTES) and _is_id(span.span_id, SPAN_ID_BYTES)
    if not identified or not span.start_time_unix_nano or not span.end_time_unix_nano:
        return None
    return Span(
        id=span.trace_id + span.span_id,
        parent=span.trace_id + span.parent_span_id if _is_id(span.parent_span_id, SPAN_ID_BYTES) else None,
        kind=span.kind,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        failed=span.status.code == STATUS_ERROR,
        attributes=kept_attributes((item.key, item.value.string_value) for item in span.attributes),
        events_ns=kept_events((event.name, event.time_unix_nano) for event in span.events),
    )


def _is_id(identity: bytes, length: int) -> bool:
    return len(identity) == length and any(identity)
