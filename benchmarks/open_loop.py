"""An open-loop HTTP client that is cheap and honest: one thread, prebuilt requests, latency from the intended moment.

A request is sent when it is due, whether or not earlier ones were answered. Where no connection is free, or this
process was late, the wait is part of the latency, because a caller would have waited too; `sent_s` tells how late it
was. It costs about 0.1 ms of CPU a request, where an asyncio client costs 1 ms and is late by as much.
"""

import gc
import os
import select
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

HOST = "127.0.0.1"
CONNECTIONS = 256
PATIENCE_S = 20.0
"""How long the client waits for any answer before it gives up."""
LEAD_S = 0.02
REAL_TIME_PRIORITY = 10
MOST_REQUESTS = 1_000_000
RECEIVE_BYTES = 65_536
OK = b"HTTP/1.1 200"

Floats = NDArray[np.float64]


class OpenLoopError(Exception):
    """The server stopped answering, or answered in a way that is no HTTP; the message says what to look at."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What became of each request: seconds from the start, NaN in `answered_s` where the answer was an error.

    `bodies` holds the answers of the requests whose index was asked for.
    """

    due_s: Floats
    sent_s: Floats
    answered_s: Floats
    bodies: dict[int, bytes]

    @property
    def latency_us(self) -> Floats:
        """From the moment that a request was due to its answer, in the order of the requests."""
        return 1e6 * (self.answered_s - self.due_s)

    @property
    def lag_us(self) -> Floats:
        """How late each request was sent."""
        return 1e6 * (self.sent_s - self.due_s)


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    request: int = -1
    received: bytearray = field(default_factory=bytearray)


def post(path: str, body: bytes) -> bytes:
    """A POST request, ready to be sent many times."""
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def get(path: str) -> bytes:
    """A GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


def offer(
    port: int, requests: Sequence[bytes], due_s: Floats, *, keep: Iterable[int] = (), connections: int = CONNECTIONS
) -> Offered:
    """Send `requests[i]` to a port of 127.0.0.1 at `due_s[i]` (sorted), wait for all answers, and tell their times.

    No more requests are under way than there are connections: with all due at once it is a closed loop. Raises
    OpenLoopError.
    """
    if not 0 < len(requests) == due_s.size <= MOST_REQUESTS:
        raise OpenLoopError(f"{len(requests)} requests at {due_s.size} times: give 1 to {MOST_REQUESTS}, one time each")
    with ExitStack() as stack:
        poller = stack.enter_context(select.epoll())
        by_descriptor: dict[int, _Connection] = {}
        for _ in range(min(connections, len(requests))):
            one = stack.enter_context(socket.create_connection((HOST, port), PATIENCE_S))
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            by_descriptor[one.fileno()] = _Connection(one)
            poller.register(one, select.EPOLLIN)
        with _undisturbed():
            return _run(requests, due_s.tolist(), frozenset(keep), by_descriptor, poller)


def _run(
    requests: Sequence[bytes],
    due_s: list[float],
    keep: frozenset[int],
    connections: dict[int, _Connection],
    poller: select.epoll,
) -> Offered:
    idle = deque(connections.values())
    sent_s, answered_s = [np.nan] * len(due_s), [np.nan] * len(due_s)
    bodies: dict[int, bytes] = {}
    upcoming, open_requests = 0, 0
    start_s = time.perf_counter() + LEAD_S
    heard_s = 0.0
    while upcoming < len(due_s) or open_requests:
        now_s = time.perf_counter() - start_s
        while idle and upcoming < len(due_s) and due_s[upcoming] <= now_s:
            connection = idle.popleft()
            connection.request = upcoming
            connection.socket.sendall(requests[upcoming])
            sent_s[upcoming] = now_s
            upcoming, open_requests = upcoming + 1, open_requests + 1
            now_s = time.perf_counter() - start_s
        wait_s = PATIENCE_S
        if idle and upcoming < len(due_s):
            wait_s = max(0.0, due_s[upcoming] - now_s)
        # epoll waits whole milliseconds, select microseconds; and it can wait for the epoll descriptor.
        select.select([poller], [], [], wait_s)
        events = poller.poll(0)
        now_s = time.perf_counter() - start_s
        if events or not open_requests:
            heard_s = now_s
        elif now_s - heard_s > PATIENCE_S:
            raise OpenLoopError(f"{open_requests} requests unanswered for {PATIENCE_S:g} s: see the server's log")
        for descriptor, _ in events:
            connection = connections[descriptor]
            body = _received(connection)
            if body is None:
                continue
            if connection.received.startswith(OK):
                answered_s[connection.request] = now_s
            if connection.request in keep:
                bodies[connection.request] = body
            connection.received.clear()
            open_requests -= 1
            idle.append(connection)
    return Offered(np.array(due_s), np.array(sent_s), np.array(answered_s), bodies)


def _received(connection: _Connection) -> bytes | None:
    """The body of the answer once it is complete; None before."""
    part = connection.socket.recv(RECEIVE_BYTES)
    if not part:
        raise OpenLoopError("the server closed a connection: see its log for why it ended")
    received = connection.received
    received += part
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return None
    length = received.find(b"Content-Length: ", 0, head)
    if length < 0:
        raise OpenLoopError(f"an answer without Content-Length, {bytes(received[:60])!r}: is this a Triton?")
    size = int(received[length + 16 : received.find(b"\r\n", length)])
    return bytes(received[head + 4 :]) if len(received) >= head + 4 + size else None


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No garbage collection meanwhile, and where it is permitted no other program first: both make requests late."""
    before, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(REAL_TIME_PRIORITY))
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        os.sched_setscheduler(0, before, parameters)
