"""Triton's HTTP endpoints and its metrics page, and the pages of gateways. Which is meant, the called address tells.

Requests are parsed by hand: thousands of servers are asked every few seconds beside what asks them, on few processors.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from tests.cluster.many_tritons.gateway import Gateway
from tests.cluster.many_tritons.models import Triton
from tests.cluster.many_tritons.pods import Servers

END = b"\r\n\r\n"
MODELS = "/v2/models/"
CONFIG = "/config"
TEXT = "text/plain; charset=utf-8"


class _Connection(asyncio.Protocol):
    """One connection of a client that keeps it open and sends no bodies that matter."""

    def __init__(self) -> None:
        self._got = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._address = str(transport.get_extra_info("sockname")[0])

    def data_received(self, data: bytes) -> None:
        self._got += data
        self._answer_all()

    def _answer_all(self) -> None:
        while (end := self._got.find(END)) >= 0:
            head = self._got[:end].decode("latin-1")
            size = end + len(END) + _length(head)
            if len(self._got) < size or not self._is_there():
                return
            self._got = self._got[size:]
            method, path, _ = head.split(" ", 2)
            self._transport.write(self._answer(method, path))

    def _is_there(self) -> bool:
        """Whether there is somebody to answer by now."""
        return True

    def _answer(self, method: str, path: str) -> bytes:
        """The answer to a request, whole."""
        raise NotImplementedError


class Endpoints(_Connection):
    """To a Triton."""

    def __init__(self, servers: Servers) -> None:
        super().__init__()
        self._servers = servers
        self._waiting: asyncio.Task[None] | None = None

    def _is_there(self) -> bool:
        if self._servers.now(self._address) is None:
            if self._waiting is None or self._waiting.done():
                self._waiting = asyncio.create_task(self._wait())
            return False
        return True

    async def _wait(self) -> None:
        if await self._servers.at(self._address) is None:
            self._transport.close()
        else:
            self._answer_all()

    def _answer(self, method: str, path: str) -> bytes:
        server = self._servers.now(self._address)
        return answered(server, method, path) if server else _missing(method, path)


class Administration(_Connection):
    """To a gateway's administration."""

    def __init__(self, gateways: Mapping[str, Gateway]) -> None:
        super().__init__()
        self._gateways = gateways

    def _answer(self, method: str, path: str) -> bytes:
        gateway = self._gateways.get(self._address)
        page = gateway.answer(path) if gateway else None
        kind = TEXT if path.startswith("/stats/prometheus") else "application/json"
        return _told(page, kind) if page is not None else _missing(method, path)


def answered(server: Triton, method: str, path: str) -> bytes:
    """A Triton's answer to a request."""
    match method, path:
        case "POST", "/v2/repository/index":
            return _told(json.dumps(server.index()))
        case "GET", "/v2/models/stats":
            return _told(json.dumps(server.statistics()))
        case "GET", "/metrics":
            return _told(server.metrics(), TEXT)
        case "GET", "/v2/health/live" | "/v2/health/ready":
            return _told("")
        case "GET", _ if path.startswith(MODELS) and path.endswith(CONFIG):
            loaded = server.loaded.get(unquote(path[len(MODELS) : -len(CONFIG)]))
            if loaded is not None:
                return _told(json.dumps(loaded.config))
    return _missing(method, path)


def _length(head: str) -> int:
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0


def _missing(method: str, path: str) -> bytes:
    return _told(json.dumps({"error": f"{method} {path} is nothing that the stand-in has"}), status="404 Not Found")


def _told(text: str, kind: str = "application/json", status: str = "200 OK") -> bytes:
    body = text.encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
