"""The spans that an instrumented application would send: one around each run of a service, by OTLP/HTTP as JSON."""

import logging
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from collectors.otlp.spans import ORIGIN, SERVICE

KIND_CLIENT: Final = 3
STATUS_ERROR: Final = 2
MOST_WAITING: Final = 5_000
"""Spans kept while the receiver is away; beyond, the newest are dropped: telemetry must not hold up the load."""
LOG: Final = logging.getLogger("gridwright.load")


@dataclass(frozen=True, slots=True)
class RunSpan:
    """One run of a service; times are seconds since the epoch."""

    service: str
    origin: str
    trace_id: str
    start_s: float
    end_s: float
    complete: bool


@dataclass(slots=True)
class SpanExport:
    """Collects spans and posts them together. With an empty `url` it does nothing."""

    session: aiohttp.ClientSession
    url: str
    _waiting: list[RunSpan] = field(default_factory=list)

    def add(self, span: RunSpan) -> None:
        """Keep a span for the next post."""
        if self.url and len(self._waiting) < MOST_WAITING:
            self._waiting.append(span)

    async def post(self) -> None:
        """Post what is waiting; it stays waiting when the receiver does not take it now."""
        if not self._waiting:
            return
        spans, self._waiting = self._waiting, []
        try:
            async with self.session.post(self.url, json=_request(spans)) as answer:
                taken = answer.ok
        except (aiohttp.ClientError, TimeoutError) as error:
            LOG.info("spans stay for later: %s", error)
            taken = False
        if not taken:
            self._waiting = [*spans, *self._waiting][:MOST_WAITING]


def _request(spans: list[RunSpan]) -> dict[str, Any]:
    service = {"key": "service.name", "value": {"stringValue": "gridwright-load"}}
    scope = {"scope": {"name": "controller.embedded.load"}, "spans": [_span(span) for span in spans]}
    return {"resourceSpans": [{"resource": {"attributes": [service]}, "scopeSpans": [scope]}]}


def _span(span: RunSpan) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": secrets.token_hex(8),
        "name": span.service,
        "kind": KIND_CLIENT,
        "startTimeUnixNano": str(round(span.start_s * 1e9)),
        "endTimeUnixNano": str(round(span.end_s * 1e9)),
        "attributes": [
            {"key": SERVICE, "value": {"stringValue": span.service}},
            {"key": ORIGIN, "value": {"stringValue": span.origin}},
        ],
        "status": {} if span.complete else {"code": STATUS_ERROR},
    }
