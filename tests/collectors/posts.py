"""Trace exports as senders write them, in both encodings."""

import json
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors.otlp.spans import Span

TRACE = bytes(range(1, 17))
NS = 1_000_000_000
JsonSpan = dict[str, Any]


def identity(number: int) -> bytes:
    return TRACE + number.to_bytes(8, "big")


def span(number: int, start_ns: int, end_ns: int, **fields: Any) -> Span:
    plain: dict[str, Any] = {
        "parent": None,
        "kind": 3,
        "failed": False,
        "attributes": {},
        "events_ns": {},
        **fields,
    }
    return Span(id=identity(number), start_ns=start_ns, end_ns=end_ns, **plain)


def model_span(number: int, name: str, queue_ns: int, end_ns: int) -> Span:
    events = {"QUEUE_START": queue_ns}
    return span(number, queue_ns, end_ns, kind=2, attributes={"triton.model_name": name}, events_ns=events)


def compute_span(number: int, parent: int, start_ns: int, end_ns: int) -> Span:
    events = {"COMPUTE_START": start_ns, "COMPUTE_END": end_ns}
    return span(number, start_ns, end_ns, kind=2, parent=identity(parent), events_ns=events)


def run_span(number: int, service: str, origin: str, start_ns: int, end_ns: int, **fields: Any) -> Span:
    attributes = {"gridwright.service": service, "gridwright.origin": origin}
    return span(number, start_ns, end_ns, **{"attributes": attributes, **fields})


def export(*spans: JsonSpan) -> bytes:
    scope = {"scope": {}, "spans": list(spans)}
    return json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [scope]}]}).encode()


def json_span(number: int, **fields: Any) -> JsonSpan:
    return {
        "traceId": TRACE.hex(),
        "spanId": identity(number)[16:].hex(),
        "name": "run",
        "kind": 3,
        "startTimeUnixNano": str(1 * NS),
        "endTimeUnixNano": str(2 * NS),
        **fields,
    }


def protobuf_export() -> tuple[ExportTraceServiceRequest, Any]:
    """An export of one span, and that span to change."""
    request = ExportTraceServiceRequest()
    only = request.resource_spans.add().scope_spans.add().spans.add()
    only.trace_id, only.span_id = TRACE, identity(1)[16:]
    only.name, only.kind = "run", 3
    only.start_time_unix_nano, only.end_time_unix_nano = NS, 2 * NS
    return request, only
