"""As much of HTTP/1.1 as collectors and actuators speak: requests with a length, answers on connections that stay."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple


class Page(NamedTuple):
    """An answer."""

    body: bytes
    kind: str = "application/json"
    status: HTTPStatus = HTTPStatus.OK


NOT_FOUND = Page(b'{"error":"not found"}', status=HTTPStatus.NOT_FOUND)
Answer = Callable[[str, str, bytes], Awaitable[Page]]
"""The page for a method, a path with its query, and a body."""


class Pages:
    """A server at an address, from `open` to `close`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen. Raises OSError where somebody else does."""
        self._server = await asyncio.start_server(self._converse, host, port)

    def close(self) -> None:
        """Listen no more, and break off what is being said, as a machine does that is switched off."""
        if self._server is not None:
            self._server.close()
        for writer in self._connections:
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while True:
                line, _, rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").partition("\r\n")
                method, path, _ = line.split(" ")
                _, _, length = rest.lower().partition("content-length:")
                body = await reader.readexactly(int(length.partition("\r\n")[0])) if length else b""
                page = await self._answer(method, path, body)
                said = f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\nContent-Type: {page.kind}\r\n"
                writer.write(f"{said}Content-Length: {len(page.body)}\r\n\r\n".encode() + page.body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # whoever asked has gone, or the server has
        finally:
            self._connections.discard(writer)
            writer.close()
