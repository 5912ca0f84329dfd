"""The OTLP/HTTP endpoints for traces, with a bound on everything that a post may cost.

`POST /v1/traces` is for applications, `POST /otlp/<pool>/v1/traces` for the Triton server of a pool: a server cannot be
told to say which pool it is of, only where to post.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from collectors.catalogue import refused_posts
from collectors.otlp.body import BodyBrokenError, BodyTooLargeError, inflate, read_bounded
from collectors.otlp.encoding import JSON, Encoding, encoding_of
from collectors.otlp.inbox import Batch, Inbox
from collectors.otlp.rpc_status import Code
from collectors.otlp.spans import Decoded
from collectors.snapshot import Snapshot

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PostLimits:
    """What one post may take, and how many are read at the same time."""

    body_bytes: int = 4 * MIB
    inflated_bytes: int = 8 * MIB
    read_within: timedelta = timedelta(seconds=10)
    at_once: int = 16
    retry_after_s: int = 5


@dataclass(slots=True)
class Intake:
    """What came in since the start. Spans of refused posts that were never decoded are in `refused_bytes` alone."""

    posts: int = 0
    spans: int = 0
    refused_posts: int = 0
    refused_bytes: int = 0
    refused_spans: int = 0


class _RefusedError(Exception):
    def __init__(self, http_status: int, code: Code, message: str, spans: int = 0) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.message = message
        self.spans = spans


class TraceReceiver:
    """Takes posts and puts their spans into an inbox: that of servers or that of applications.

    As a collector it has no readings of its own, and tells what it refused.
    """

    name = "otlp_receiver"

    def __init__(
        self, pools: Collection[str], servers: Inbox, applications: Inbox, limits: PostLimits | None = None
    ) -> None:
        self.intake = Intake()
        self._pools = frozenset(pools)
        self._servers = servers
        self._applications = applications
        self._limits = limits or PostLimits()
        self._reading = 0
        self._told = Intake()

    async def collect(self, now: datetime) -> Snapshot:
        """What was refused since the last call, as a finding."""
        posts = self.intake.refused_posts - self._told.refused_posts
        octets = self.intake.refused_bytes - self._told.refused_bytes
        spans = self.intake.refused_spans - self._told.refused_spans
        self._told = replace(self.intake)
        return Snapshot(now, findings=(refused_posts(posts, octets, spans),) if posts or spans else ())

    async def receive(self, request: Request, pool: str = "") -> Response:
        """The answer to a post from a pool's server, or from an application when `pool` is empty."""
        encoding = encoding_of(request.headers.get("content-type", ""))
        body = bytearray()
        try:
            decoded = await self._take(request, pool, encoding, body)
        except _RefusedError as refusal:
            self.intake.refused_posts += 1
            self.intake.refused_bytes += len(body)
            self.intake.refused_spans += refusal.spans
            return self._refusal(refusal, encoding or JSON)
        self.intake.posts += 1
        self.intake.spans += len(decoded.spans)
        self.intake.refused_spans += decoded.refused
        answer = encoding or JSON
        return Response(answer.accepted(decoded.refused), media_type=answer.content_type)

    async def _take(self, request: Request, pool: str, encoding: Encoding | None, body: bytearray) -> Decoded:
        if pool and pool not in self._pools:
            raise _RefusedError(404, Code.NOT_FOUND, "no such pool; post to the path of a pool that the policy names")
        if encoding is None:
            message = "the content type is not known; send application/json or application/x-protobuf"
            raise _RefusedError(415, Code.UNIMPLEMENTED, message)
        compression = request.headers.get("content-encoding", "identity").strip().lower()
        if compression not in {"identity", "gzip", ""}:
            raise _RefusedError(415, Code.UNIMPLEMENTED, "the content encoding is not known; send gzip or identity")
        await self._read(request, body)
        try:
            plain = inflate(bytes(body), self._limits.inflated_bytes) if compression == "gzip" else bytes(body)
            decoded = encoding.decode(plain)
        except BodyTooLargeError as error:
            raise _RefusedError(413, Code.RESOURCE_EXHAUSTED, str(error)) from error
        except (BodyBrokenError, ValueError) as error:
            raise _RefusedError(400, Code.INVALID_ARGUMENT, str(error)) from error
        inbox = self._servers if pool else self._applications
        if not inbox.offer(Batch(pool, decoded.spans)):
            message = "too many spans are waiting to be read; send this batch again later"
            raise _RefusedError(503, Code.UNAVAILABLE, message, len(decoded.spans))
        return decoded

    async def _read(self, request: Request, body: bytearray) -> None:
        if self._reading >= self._limits.at_once:
            raise _RefusedError(503, Code.UNAVAILABLE, "too many posts at the same time; send this one again later")
        self._reading += 1
        try:
            async with asyncio.timeout(self._limits.read_within.total_seconds()):
                await read_bounded(request.stream(), body, self._limits.body_bytes)
        except BodyTooLargeError as error:
            raise _RefusedError(413, Code.RESOURCE_EXHAUSTED, str(error)) from error
        except TimeoutError as error:
            raise _RefusedError(408, Code.DEADLINE_EXCEEDED, "the body came too slowly; send it faster") from error
        except ClientDisconnect as error:
            raise _RefusedError(400, Code.INVALID_ARGUMENT, "the body broke off; send it whole") from error
        finally:
            self._reading -= 1

    def _refusal(self, refusal: _RefusedError, encoding: Encoding) -> Response:
        busy = refusal.code is Code.UNAVAILABLE
        headers = {"retry-after": str(self._limits.retry_after_s)} if busy else None
        body = encoding.status(refusal.code, refusal.message)
        return Response(body, refusal.http_status, headers, media_type=encoding.content_type)


def otlp_router(receiver: TraceReceiver) -> APIRouter:
    """The receiver's endpoints."""
    router = APIRouter(tags=["otlp"])

    @router.post("/v1/traces", response_class=Response)
    async def from_an_application(request: Request) -> Response:
        """Take an application's spans (OTLP/HTTP, JSON or protocol buffers, gzip or not)."""
        return await receiver.receive(request)

    @router.post("/otlp/{pool}/v1/traces", response_class=Response)
    async def from_a_server(request: Request, pool: str) -> Response:
        """Take the spans of a pool's Triton server (OTLP/HTTP, JSON or protocol buffers, gzip or not)."""
        return await receiver.receive(request, pool)

    return router
