"""What a post of spans goes through, whichever transport brought it, with a bound on everything that it may cost.

A post is refused for good, or for now: OTLP has a sender drop the first and send the second again, so a post is either
taken whole or not at all, but for spans that would be refused whenever they came (OTLP's partial success).
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from collectors.catalogue import refused_posts
from collectors.otlp.body import BodyBrokenError, BodyTooLargeError
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
    retry_after: timedelta = timedelta(seconds=5)  # a refusal costs a tenth of a post: it must not come at once


@dataclass(slots=True)
class Intake:
    """What came in since the start. Spans of refused posts that were never decoded are in `refused_bytes` alone."""

    posts: int = 0
    spans: int = 0
    refused_posts: int = 0
    refused_bytes: int = 0
    refused_spans: int = 0


class RefusedError(Exception):
    """A post was not taken. UNAVAILABLE means that the same may be sent again; any other code, that it may not."""

    def __init__(self, code: Code, message: str, spans: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.spans = spans


class TraceReceiver:
    """Takes posts and puts their spans into an inbox: that of servers or that of applications.

    As a collector it has no readings of its own, and tells what it refused. `pools` are looked up at each post, so
    others may be among them by then.
    """

    name = "otlp_receiver"

    def __init__(
        self, pools: Collection[str], servers: Inbox, applications: Inbox, limits: PostLimits | None = None
    ) -> None:
        self.intake = Intake()
        self.limits = limits or PostLimits()
        self._pools = pools
        self._servers = servers
        self._applications = applications
        self._reading = 0
        self._told = Intake()

    async def collect(self, now: datetime) -> Snapshot:
        """What was refused since the last call, as a finding."""
        posts = self.intake.refused_posts - self._told.refused_posts
        octets = self.intake.refused_bytes - self._told.refused_bytes
        spans = self.intake.refused_spans - self._told.refused_spans
        self._told = replace(self.intake)
        return Snapshot(now, findings=(refused_posts(posts, octets, spans),) if posts or spans else ())

    @property
    def busy(self) -> bool:
        """Whether as many posts are being read as are read at the same time."""
        return self._reading >= self.limits.at_once

    @contextmanager
    def counting_refusals(self, body: bytearray) -> Iterator[None]:
        """Count a refusal inside the block, with what of the body had been read by then."""
        try:
            yield
        except RefusedError as refusal:
            self.intake.refused_posts += 1
            self.intake.refused_bytes += len(body)
            self.intake.refused_spans += refusal.spans
            raise

    def check_pool(self, pool: str) -> None:
        """Refuse a pool that nobody knows; an application's is empty."""
        if pool and pool not in self._pools:
            raise RefusedError(Code.NOT_FOUND, "no such pool; post to a pool that the policy names")

    async def read(self, reading: Coroutine[Any, Any, None]) -> None:
        """Run what reads a body, in a bounded time and beside a bounded number of others.

        Raises:
            RefusedError: UNAVAILABLE without reading, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, or INVALID_ARGUMENT.
        """
        if self.busy:
            reading.close()
            raise RefusedError(Code.UNAVAILABLE, "too many posts at the same time; send this one again later")
        self._reading += 1
        try:
            async with asyncio.timeout(self.limits.read_within.total_seconds()):
                await reading
        except BodyTooLargeError as error:
            raise RefusedError(Code.RESOURCE_EXHAUSTED, str(error)) from error
        except BodyBrokenError as error:
            raise RefusedError(Code.INVALID_ARGUMENT, str(error)) from error
        except TimeoutError as error:
            raise RefusedError(Code.DEADLINE_EXCEEDED, "the body came too slowly; send it faster") from error
        finally:
            self._reading -= 1

    def take(self, pool: str, decode: Callable[[], Decoded]) -> Decoded:
        """Put the spans of a post into the inbox; they are not even decoded when it has no room.

        Raises:
            RefusedError: UNAVAILABLE for a full inbox, RESOURCE_EXHAUSTED for what is too large, or INVALID_ARGUMENT.
        """
        inbox = self._servers if pool else self._applications
        busy = "too many spans are waiting to be read; send this batch again later"
        if inbox.full:
            raise RefusedError(Code.UNAVAILABLE, busy)
        try:
            decoded = decode()
        except BodyTooLargeError as error:
            raise RefusedError(Code.RESOURCE_EXHAUSTED, str(error)) from error
        except (BodyBrokenError, ValueError) as error:
            raise RefusedError(Code.INVALID_ARGUMENT, str(error)) from error
        spans = len(decoded.spans)
        if spans > inbox.capacity_spans:
            message = f"the batch has more than {inbox.capacity_spans} spans; send smaller batches"
            raise RefusedError(Code.RESOURCE_EXHAUSTED, message, spans)
        if not inbox.offer(Batch(pool, decoded.spans)):
            raise RefusedError(Code.UNAVAILABLE, busy, spans)
        self.intake.posts += 1
        self.intake.spans += spans
        self.intake.refused_spans += decoded.refused
        return decoded
