"""Spans of the controller's own turns: the last ones kept in memory, and sent on by OTLP when that is set up."""

import importlib
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import format_span_id, format_trace_id

KEPT_SPANS: Final = 1_024
EXPORTER: Final = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
"""The module of the optional package `opentelemetry-exporter-otlp-proto-http`."""


@dataclass(frozen=True, slots=True)
class FinishedSpan:
    """One span that has ended; ids in hex, times in ns since the epoch. `parent_id` is empty for a turn's own span."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, str]
    error: str


class RecentSpans(SpanProcessor):
    """Keeps the last spans that ended, oldest first."""

    def __init__(self, kept: int = KEPT_SPANS) -> None:
        self._spans: deque[FinishedSpan] = deque(maxlen=kept)
        self._lock = threading.Lock()

    def on_end(self, span: ReadableSpan) -> None:
        """Called by the SDK, from whichever thread ended the span."""
        with self._lock:
            self._spans.append(_finished(span))

    def spans(self) -> tuple[FinishedSpan, ...]:
        """What is kept now."""
        with self._lock:
            return tuple(self._spans)


def _finished(span: ReadableSpan) -> FinishedSpan:
    context = span.get_span_context()
    return FinishedSpan(
        name=span.name,
        trace_id=format_trace_id(context.trace_id) if context else "",
        span_id=format_span_id(context.span_id) if context else "",
        parent_id=format_span_id(span.parent.span_id) if span.parent else "",
        start_ns=span.start_time or 0,
        end_ns=span.end_time or 0,
        attributes={key: str(value) for key, value in (span.attributes or {}).items()},
        error="" if span.status.is_ok or span.status.is_unset else span.status.description or "error",
    )


def tracer_provider(recent: RecentSpans, endpoint: str = "") -> TracerProvider:
    """A provider that keeps spans in `recent` and, with an OTLP `endpoint` and its package there, sends them on.

    `endpoint` is what OTEL_EXPORTER_OTLP_ENDPOINT holds, such as `http://127.0.0.1:4318`. Raises ModuleNotFoundError,
    with the next step, when an endpoint is set and the exporter's package is not installed.
    """
    provider = TracerProvider(resource=Resource.create({"service.name": "gridwright"}))
    provider.add_span_processor(recent)
    if endpoint:
        provider.add_span_processor(BatchSpanProcessor(_exporter(endpoint)))
    return provider


def _exporter(endpoint: str) -> SpanExporter:
    try:
        module = importlib.import_module(EXPORTER)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but spans cannot be sent: install "
            "opentelemetry-exporter-otlp-proto-http, or unset the variable",
            name=error.name,
        ) from error
    exporter: SpanExporter = module.OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    return exporter
