"""Posts of a real Triton, made anew as often as wanted: the captures' bytes with a fresh trace id and shifted times.

Every capture has one trace id, which its client sent with each request. A span is known by its trace id and span id, so
a capture with another trace id holds spans that no other post holds.
"""

import json
import secrets
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TIMES = ("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano")
IDS = ("traceId", "spanId", "parentSpanId")


@dataclass(frozen=True, slots=True)
class Capture:
    """A post, in one encoding, of `spans` spans; `requests` of them are requests whose two halves are both in it."""

    body: bytes
    spans: int
    requests: int
    trace_id: bytes

    def of(self, trace_id: bytes) -> bytes:
        """The same post, with another trace id."""
        return self.body.replace(self.trace_id, trace_id if len(self.trace_id) == len(trace_id) else _hex(trace_id))

    def fresh(self) -> bytes:
        """The same post of other requests."""
        return self.of(secrets.token_bytes(16))


def _hex(trace_id: bytes) -> bytes:
    return trace_id.hex().encode()


def captures(folder: Path, newest_ns: int, encoding: str) -> list[Capture]:
    """The captures, shifted so that the last span of all ends at `newest_ns`, in "json" or "protobuf"."""
    exports = [json.loads(file.read_bytes()) for file in sorted(folder.glob("triton_real_*.json"))]
    shift_ns = newest_ns - max(_newest_ns(export) for export in exports)
    return [_capture(_changed(export, shift_ns), encoding) for export in exports]


def together(folder: Path, newest_ns: int, encoding: str) -> Capture:
    """All captures in one post, of 443 spans: the SDK that Triton posts with puts up to 512 into one."""
    exports = [json.loads(file.read_bytes()) for file in sorted(folder.glob("triton_real_*.json"))]
    whole = {"resourceSpans": [resource for export in exports for resource in export["resourceSpans"]]}
    return _capture(_changed(whole, newest_ns - _newest_ns(whole)), encoding)


def _newest_ns(export: dict[str, Any]) -> int:
    return max(int(span["endTimeUnixNano"]) for span in _spans(export))


def _capture(export: dict[str, Any], encoding: str) -> Capture:
    spans = list(_spans(export))
    models = {span["spanId"] for span in spans if any(item["key"] == "triton.model_name" for item in _attributes(span))}
    requests = sum(span["name"] == "compute" and span["parentSpanId"] in models for span in spans)
    if encoding == "json":
        body = json.dumps(export, separators=(",", ":")).encode()
        return Capture(body, len(spans), requests, TRACE_ID.encode())
    for span in spans:
        span.update({key: b64encode(bytes.fromhex(span[key])).decode() for key in IDS if key in span})
    body = ParseDict(export, ExportTraceServiceRequest()).SerializeToString()
    return Capture(body, len(spans), requests, bytes.fromhex(TRACE_ID))


def _changed(export: dict[str, Any], shift_ns: int) -> dict[str, Any]:
    """Later by `shift_ns`; the model `echo` of the captures gets a name that Gridwright gives."""
    for span in _spans(export):
        for item in (span, *span.get("events", ())):
            item.update({key: str(int(item[key]) + shift_ns) for key in TIMES if key in item})
        for attribute in _attributes(span):
            if attribute["key"] == "triton.model_name":
                attribute["value"]["stringValue"] = "echo--fp32"
    return export


def _spans(export: dict[str, Any]) -> list[dict[str, Any]]:
    scopes = [scope for resource in export["resourceSpans"] for scope in resource["scopeSpans"]]
    return [span for scope in scopes for span in scope["spans"]]


def _attributes(span: dict[str, Any]) -> list[dict[str, Any]]:
    return list(span.get("attributes", ()))
