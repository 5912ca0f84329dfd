"""OTLP/HTTP's two encodings: what a content type means, and how requests and answers are written in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from collectors.otlp import rpc_status
from collectors.otlp.decode_json import decode_json
from collectors.otlp.decode_protobuf import decode_protobuf
from collectors.otlp.spans import Decoded

REFUSED_SPANS: Final = "spans without a valid trace id, span id, start or end were refused"


def _accepted_json(refused: int) -> bytes:
    partial = {"partialSuccess": {"rejectedSpans": str(refused), "errorMessage": REFUSED_SPANS}}
    return msgspec.json.encode(partial if refused else {})


def _accepted_protobuf(refused: int) -> bytes:
    partial = ExportTracePartialSuccess(rejected_spans=refused, error_message=REFUSED_SPANS)
    answer: bytes = ExportTraceServiceResponse(partial_success=partial if refused else None).SerializeToString()
    return answer


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to read a request (ValueError when it is none) and to write an answer."""

    content_type: str
    decode: Callable[[bytes], Decoded]
    accepted: Callable[[int], bytes]
    status: Callable[[rpc_status.Code, str], bytes]


JSON: Final = Encoding("application/json", decode_json, _accepted_json, rpc_status.as_json)
PROTOBUF: Final = Encoding("application/x-protobuf", decode_protobuf, _accepted_protobuf, rpc_status.as_protobuf)


def encoding_of(content_type: str) -> Encoding | None:
    """The encoding that a Content-Type header names, whatever its parameters; None for any other."""
    media_type = content_type.partition(";")[0].strip().lower()
    return next((each for each in (JSON, PROTOBUF) if each.content_type == media_type), None)
