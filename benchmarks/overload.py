"""A receiver in a process of its own under more posts than it can take, and senders that do what OTLP asks of them.

What is refused for now is sent again after Retry-After, until the end is near; every seventh post that was taken is
sent once more, as by a sender whose answer was lost. So what was counted can be held against what was acknowledged.
"""

import asyncio
import heapq
import secrets
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI
from triton_posts import Capture

from collectors.otlp.inbox import Inbox
from collectors.otlp.over_http import otlp_router
from collectors.otlp.reading import keep_reading
from collectors.otlp.receiver import TraceReceiver
from collectors.otlp.triton_spans import TritonSpans

SENDERS: Final = 256
GRACE_S: Final = 7.0
AGAIN_EVERY: Final = 7
MIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """What the receiver says in the end."""

    requests: int
    posts: int
    refused_posts: int
    findings: tuple[str, ...]
    cpu_s: float
    idle_mib: float
    peak_mib: float


@dataclass(slots=True)
class Sent:
    """What the senders saw. `acknowledged` holds each post once, however often it was sent."""

    posts: int = 0
    spans: int = 0
    busy: int = 0
    broken: int = 0
    other: int = 0
    again: int = 0
    acknowledged: dict[bytes, Capture] = field(default_factory=dict)
    given_up: int = 0


def serve(pipe: Connection) -> None:
    """The receiver's process: say the port, run until told, say what was taken."""
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    servers = Inbox()
    receiver, spans = TraceReceiver(["edge"], servers, Inbox()), TritonSpans(servers)
    app = FastAPI(openapi_url=None)
    app.include_router(otlp_router(receiver))
    listening = socket.create_server(("127.0.0.1", 0), backlog=SENDERS)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve([listening]))
    reading = asyncio.create_task(keep_reading((spans,), lambda: datetime.now(UTC)))
    idle_mib = _memory_mib("VmRSS")
    pipe.send(listening.getsockname()[1])
    start_s = time.process_time()
    await asyncio.to_thread(pipe.recv)
    snapshot = await spans.collect(datetime.now(UTC))
    counted = sum(work.times.value.compute.count for work in snapshot.work if work.times.value)
    findings = tuple(finding.message for finding in snapshot.findings)
    intake, cpu_s = receiver.intake, time.process_time() - start_s
    pipe.send(Taken(counted, intake.posts, intake.refused_posts, findings, cpu_s, idle_mib, _memory_mib("VmHWM")))
    reading.cancel()
    server.should_exit = True
    await serving


def _memory_mib(field_name: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{field_name}:")[1].split()[0]) / MIB


async def overload(sources: list[Capture], content_type: str, spans_per_s: float, seconds: float) -> tuple[Sent, Taken]:
    """Offer new posts at a rate for some seconds, then let the senders end, and ask the receiver."""
    pipe, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=serve, args=(theirs,))
    process.start()
    try:
        sent = Sent()
        await _Senders(sources, content_type, sent).run(pipe.recv(), spans_per_s, seconds)
        pipe.send("end")
        return sent, pipe.recv()
    finally:
        process.join(10)
        process.kill()


@dataclass(order=True, slots=True)
class _Post:
    due_s: float
    trace_id: bytes
    capture: Capture = field(compare=False)


class _Senders:
    def __init__(self, sources: list[Capture], content_type: str, sent: Sent) -> None:
        self._sources = sources
        self._type = content_type
        self._sent = sent
        self._waiting: list[_Post] = []
        self._next_s = 0.0

    async def run(self, port: int, spans_per_s: float, seconds: float) -> None:
        self._next_s = time.monotonic()
        end_s = self._next_s + seconds
        await asyncio.gather(*(self._send(port, spans_per_s, end_s) for _ in range(SENDERS)))
        self._sent.given_up = sum(post.trace_id not in self._sent.acknowledged for post in self._waiting)

    async def _send(self, port: int, spans_per_s: float, end_s: float) -> None:
        connection = None
        while (now_s := time.monotonic()) < end_s + GRACE_S:
            post = self._due(now_s, spans_per_s, end_s)
            if post is None:
                await asyncio.sleep(0.005)
                continue
            try:
                connection = connection or await asyncio.open_connection("127.0.0.1", port)
                status, retry_s, stays = await self._exchange(connection, post)
                self._answered(post, status, retry_s)
            except (OSError, asyncio.IncompleteReadError):
                stays = False
                self._sent.broken += 1
                self._answered(post, HTTPStatus.SERVICE_UNAVAILABLE, 1.0)  # nobody knows whether it was taken
            if not stays and connection:
                connection[1].close()
                connection = None
        if connection:
            connection[1].close()
            with suppress(OSError):
                await connection[1].wait_closed()

    def _due(self, now_s: float, spans_per_s: float, end_s: float) -> _Post | None:
        """The next post: one that waits to be sent again, or a new one at its time."""
        if self._waiting and self._waiting[0].due_s <= now_s:
            return heapq.heappop(self._waiting)
        if now_s >= end_s or now_s < self._next_s:
            return None
        capture = self._sources[self._sent.posts % len(self._sources)]
        self._next_s += capture.spans / spans_per_s
        self._sent.posts += 1
        self._sent.spans += capture.spans
        return _Post(now_s, secrets.token_bytes(16), capture)

    async def _exchange(
        self, connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], post: _Post
    ) -> tuple[int, float, bool]:
        reader, writer = connection
        body = post.capture.of(post.trace_id)
        head = f"POST /otlp/edge/v1/traces HTTP/1.1\r\nhost: receiver\r\ncontent-type: {self._type}\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode())
        writer.write(body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        headers = dict(line.split(": ", 1) for line in answer.split("\r\n")[1:] if ": " in line)
        await reader.readexactly(int(headers.get("content-length", "0")))
        return int(answer.split()[1]), float(headers.get("retry-after", "1")), headers.get("connection") != "close"

    def _answered(self, post: _Post, status: int, retry_s: float) -> None:
        if status == HTTPStatus.OK:
            first = post.trace_id not in self._sent.acknowledged
            self._sent.acknowledged[post.trace_id] = post.capture
            if first and len(self._sent.acknowledged) % AGAIN_EVERY == 0:
                self._sent.again += 1
                heapq.heappush(self._waiting, _Post(time.monotonic(), post.trace_id, post.capture))
        elif status == HTTPStatus.SERVICE_UNAVAILABLE:
            self._sent.busy += 1
            heapq.heappush(self._waiting, _Post(time.monotonic() + retry_s, post.trace_id, post.capture))
        else:
            self._sent.other += 1
