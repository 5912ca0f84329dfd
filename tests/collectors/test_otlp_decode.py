from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from posts import NS, TRACE, export, identity, json_span, protobuf_export

from collectors.otlp.decode_json import MAX_OBJECTS, NotJsonError, decode_json
from collectors.otlp.decode_protobuf import MAX_FIELDS, NotProtobufError, decode_protobuf
from collectors.otlp.spans import MAX_TEXT_CHARACTERS, Span

EVENTS = (("QUEUE_START", "5"), ("QUEUE_START", "6"), ("ANOTHER", "7"))
PLAIN = Span(identity(1), None, 3, NS, 2 * NS, failed=False, attributes={}, events_ns={})


def test_json_ids_are_hex_and_64_bit_integers_are_strings() -> None:
    assert decode_json(export(json_span(1))).spans == (PLAIN,)


def test_json_integers_may_also_be_numbers() -> None:
    assert decode_json(export(json_span(1, startTimeUnixNano=NS, endTimeUnixNano=2 * NS))).spans == (PLAIN,)


def test_json_that_is_null_is_a_default() -> None:
    sparse = json_span(1, parentSpanId=None, attributes=None, events=None, status=None)
    assert decode_json(export(sparse)).spans == (PLAIN,)


def test_json_fields_that_nobody_knows_are_passed_over() -> None:
    assert decode_json(export(json_span(1, links=[{"a": [1]}], flags=256, unexpected={"x": []}))).spans == (PLAIN,)


def test_the_same_span_reads_the_same_in_both_encodings() -> None:
    request, span = protobuf_export()
    span.parent_span_id = identity(7)[16:]
    span.status.code = 2
    span.attributes.add(key="gridwright.service").value.string_value = "ocr"
    span.attributes.add(key="gridwright.origin").value.int_value = 5
    span.attributes.add(key="another").value.array_value.values.add(string_value="passed over")
    for at_ns in (5, 6):
        span.events.add(name="QUEUE_START", time_unix_nano=at_ns)
    span.events.add(name="ANOTHER", time_unix_nano=7)
    attributes: list[dict[str, Any]] = [
        {"key": "gridwright.service", "value": {"stringValue": "ocr"}},
        {"key": "gridwright.origin", "value": {"intValue": "5"}},
        {"key": "another", "value": {"arrayValue": {"values": [{"stringValue": "passed over"}]}}},
    ]
    written = json_span(
        1,
        parentSpanId=identity(7)[16:].hex(),
        status={"code": 2},
        attributes=attributes,
        events=[{"name": name, "timeUnixNano": at} for name, at in EVENTS],
    )
    (from_json,) = decode_json(export(written)).spans
    (from_protobuf,) = decode_protobuf(request.SerializeToString()).spans
    assert from_json == from_protobuf
    assert (from_json.parent, from_json.failed) == (identity(7), True)
    assert (from_json.attributes, from_json.events_ns) == ({"gridwright.service": "ocr"}, {"QUEUE_START": 5})


def test_a_span_keeps_nothing_that_could_make_it_large() -> None:
    attributes = [
        {"key": "gridwright.service", "value": {"stringValue": "x" * (MAX_TEXT_CHARACTERS + 1)}},
        {"key": "gridwright.origin", "value": {"stringValue": "y" * MAX_TEXT_CHARACTERS}},
        *({"key": f"k{number}", "value": {"stringValue": "z"}} for number in range(100)),
    ]
    (span,) = decode_json(export(json_span(1, attributes=attributes, name="n" * 10_000))).spans
    assert span.attributes == {"gridwright.origin": "y" * MAX_TEXT_CHARACTERS}


@pytest.mark.parametrize(
    "wrong",
    [
        {"traceId": ""},
        {"traceId": "0" * 32},
        {"traceId": "zz" * 16},
        {"traceId": TRACE.hex()[:-2]},
        {"traceId": " " * 30 + "01"},
        {"spanId": "0" * 16},
        {"spanId": None},
        {"startTimeUnixNano": "0"},
        {"endTimeUnixNano": None},
    ],
)
def test_a_span_without_ids_or_times_is_refused_and_the_others_are_kept(wrong: dict[str, Any]) -> None:
    decoded = decode_json(export({**json_span(1), **wrong}, json_span(1)))
    assert (decoded.spans, decoded.refused) == ((PLAIN,), 1)


@pytest.mark.parametrize(("field", "value"), [("trace_id", b""), ("span_id", bytes(8)), ("end_time_unix_nano", 0)])
def test_a_protobuf_span_without_ids_or_times_is_refused(field: str, value: bytes | int) -> None:
    request, span = protobuf_export()
    setattr(span, field, value)
    decoded = decode_protobuf(request.SerializeToString())
    assert (decoded.spans, decoded.refused) == ((), 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'{"resourceSpans": {}}',
        b'{"resourceSpans": [null]}',
        b'{"resourceSpans": [',
        b"\xff",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        export(json_span(1, kind="SPAN_KIND_CLIENT")),
        export(json_span(1, startTimeUnixNano="-5")),
        export(json_span(1, startTimeUnixNano="9" * 5000)),
        export(json_span(1, spanId=7)),
    ],
)
def test_what_is_no_export_in_json_is_refused(body: bytes) -> None:
    with pytest.raises(NotJsonError):
        decode_json(body)


@pytest.mark.parametrize(
    "body", [b"\xff", b"\x0a\x05ab", b"\x0a", b"\x0b\x0c", b"\xff" * 20, b"\x0a\x04\x12\xff\xff\xff"]
)
def test_what_is_no_export_in_protobuf_is_refused(body: bytes) -> None:
    with pytest.raises(NotProtobufError):
        decode_protobuf(body)


def test_an_empty_protobuf_is_an_empty_export() -> None:
    assert decode_protobuf(b"").spans == ()


def test_tiny_objects_are_counted_before_they_are_made() -> None:
    with pytest.raises(NotJsonError, match="more than"):
        decode_json(export(*[{}] * MAX_OBJECTS))


def test_tiny_messages_are_counted_before_they_are_made() -> None:
    def field(number: int, content: bytes) -> bytes:
        length = len(content)
        octets = b""
        while length > 0x7F:
            octets += bytes([length & 0x7F | 0x80])
            length >>= 7
        return bytes([number << 3 | 2]) + octets + bytes([length]) + content

    empty_spans = field(1, field(2, b"\x12\x00" * MAX_FIELDS))
    long_tags = field(1, field(2, b"\x92\x00\x00" * MAX_FIELDS))
    unknown_numbers = b"\x78\x01" * (MAX_FIELDS + 1)
    for body in (empty_spans, long_tags, unknown_numbers):
        with pytest.raises(NotProtobufError, match="more than"):
            decode_protobuf(body)


def test_as_many_fields_as_allowed_are_read() -> None:
    assert decode_protobuf(b"\x78\x01" * MAX_FIELDS).spans == ()


@given(st.binary(max_size=200))
def test_random_bytes_never_raise_anything_else(body: bytes) -> None:
    for decode, error in ((decode_json, NotJsonError), (decode_protobuf, NotProtobufError)):
        with suppress(error):
            assert decode(body).spans == ()  # valid ids are longer than chance


@given(st.integers(0, 60), st.integers(0, 255))
def test_a_changed_byte_of_a_real_export_never_raises_anything_else(at: int, byte: int) -> None:
    request, _ = protobuf_export()
    body = bytearray(request.SerializeToString())
    body[at % len(body)] = byte
    with suppress(NotProtobufError):
        decoded = decode_protobuf(bytes(body))
        assert len(decoded.spans) + decoded.refused in {0, 1}


def test_the_capture_of_a_real_triton_is_read(data: Path) -> None:
    body = (data / "triton_post.json").read_bytes()
    decoded = decode_json(body)
    assert decoded.refused == 0
    assert len(decoded.spans) == 3 * 8
    models = {span.id for span in decoded.spans if span.attributes == {"triton.model_name": "toy--fp32"}}
    assert len(models) == 8
    assert {span.parent for span in decoded.spans if "COMPUTE_START" in span.events_ns} == models
