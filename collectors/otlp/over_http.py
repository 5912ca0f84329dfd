"""OTLP/HTTP: the endpoints for traces, in JSON or protocol buffers.

`POST /v1/traces` is for applications, `POST /otlp/<pool>/v1/traces` for the Triton server of a pool: a server cannot be
told to say which pool it is of, only where to post.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from collectors.otlp.body import BodyBrokenError, inflate, read_bounded
from collectors.otlp.encoding import JSON, Encoding, encoding_of
from collectors.otlp.receiver import RefusedError, TraceReceiver
from collectors.otlp.rpc_status import Code
from collectors.otlp.spans import Decoded

# Of these a sender sends only what got a 503 again; OTLP names 429, 502, 503 and 504 as the ones to send again after.
HTTP_STATUS: Final[Mapping[Code, int]] = MappingProxyType(
    {
        Code.INVALID_ARGUMENT: 400,
        Code.NOT_FOUND: 404,
        Code.DEADLINE_EXCEEDED: 408,
        Code.RESOURCE_EXHAUSTED: 413,
        Code.UNIMPLEMENTED: 415,
        Code.UNAVAILABLE: 503,
    }
)


def otlp_router(receiver: TraceReceiver) -> APIRouter:
    """The receiver's endpoints."""
    router = APIRouter(tags=["otlp"])

    @router.post("/v1/traces", response_class=Response)
    async def from_an_application(request: Request) -> Response:
        """Take an application's spans (OTLP/HTTP, JSON or protocol buffers, gzip or not)."""
        return await _answered(receiver, request, "")

    @router.post("/otlp/{pool}/v1/traces", response_class=Response)
    async def from_a_server(request: Request, pool: str) -> Response:
        """Take the spans of a Triton server of a pool (OTLP/HTTP, JSON or protocol buffers, gzip or not)."""
        return await _answered(receiver, request, pool)

    return router


async def _answered(receiver: TraceReceiver, request: Request, pool: str) -> Response:
    encoding = encoding_of(request.headers.get("content-type", ""))
    body = bytearray()
    try:
        with receiver.counting_refusals(body):
            decoded = await _taken(receiver, request, pool, encoding, body)
    except RefusedError as refusal:
        return _refusal(receiver, refusal, encoding or JSON)
    answer = encoding or JSON
    return Response(answer.accepted(decoded.refused), media_type=answer.content_type)


async def _taken(
    receiver: TraceReceiver, request: Request, pool: str, encoding: Encoding | None, body: bytearray
) -> Decoded:
    receiver.check_pool(pool)
    if encoding is None:
        message = "the content type is not known; send application/json or application/x-protobuf"
        raise RefusedError(Code.UNIMPLEMENTED, message)
    compression = request.headers.get("content-encoding", "identity").strip().lower()
    if compression not in {"identity", "gzip", ""}:
        raise RefusedError(Code.UNIMPLEMENTED, "the content encoding is not known; send gzip or identity")
    limits = receiver.limits
    await receiver.read(_body(request, body, limits.body_bytes))

    def decode() -> Decoded:
        plain = bytes(body)
        return encoding.decode(inflate(plain, limits.inflated_bytes) if compression == "gzip" else plain)

    return receiver.take(pool, decode)


async def _body(request: Request, into: bytearray, max_bytes: int) -> None:
    try:
        await read_bounded(request.stream(), into, max_bytes)
    except ClientDisconnect as error:
        raise BodyBrokenError("the body broke off; send it whole") from error


def _refusal(receiver: TraceReceiver, refusal: RefusedError, encoding: Encoding) -> Response:
    seconds = math.ceil(receiver.limits.retry_after.total_seconds())
    headers = {"retry-after": str(seconds)} if refusal.code is Code.UNAVAILABLE else None
    body = encoding.status(refusal.code, refusal.message)
    return Response(body, HTTP_STATUS[refusal.code], headers, media_type=encoding.content_type)
