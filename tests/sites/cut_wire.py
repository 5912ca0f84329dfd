"""A wire between a site and its hub that can be cut: a proxy of TCP that closes everything and takes nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Wire:
    """Passes bytes on in both directions, and counts those that go up."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self.bytes_up = 0

    def cut(self) -> None:
        """Close all connections, and each new one at once."""
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """Take connections again."""
        self._is_cut = False

    async def taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, up_writer}
        await asyncio.gather(self._pass(reader, up_writer, up=True), self._pass(up_reader, writer, up=False))
        self._writers -= {writer, up_writer}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                self.bytes_up += len(data) if up else 0
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def wire_to(host: str, port: int) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to an address, and the address of its near end."""
    wire = Wire(host, port)
    async with await asyncio.start_server(wire.taken, "127.0.0.1", 0) as server:
        near = server.sockets[0].getsockname()[1]
        yield wire, f"127.0.0.1:{near}"
        wire.cut()
