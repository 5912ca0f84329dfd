"""Taking connections in until their TLS handshake is done: so many at once, and each for so long.

Whoever reaches a port can open connections and say nothing. asyncio's own server would keep each for a minute, and as
many as the process may have files.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from controller.background import in_background
from controller.sites.hub.fairness import giving_way, network_of

LOG: Final = logging.getLogger("gridwright.sites")
HANDSHAKE_S: Final = 10.0
"""How long a handshake may take: two ways there and back, and a signature."""
GOODBYE_S: Final = 5.0
"""How long a caller may take to agree that a connection ends."""
MOST_HANDSHAKES: Final = 64
"""Under way at once, of all callers together."""
NO_FILES_S: Final = 1.0
BACKLOG: Final = 256


class Door:
    """Hands each connection to a protocol once its handshake is done.

    Where there are too many, the network that has most of them gives way with the one that has waited longest.
    """

    def __init__(self, context: ssl.SSLContext, made: Callable[[], asyncio.Protocol]) -> None:
        self._context = context
        self._made = made
        self._under_way: dict[asyncio.Task[None], str] = {}
        """The network of each caller, in the order in which they came."""

    @asynccontextmanager
    async def open_at(self, listener: socket.socket) -> AsyncIterator[None]:
        """Take connections in while the block runs."""
        async with in_background(self._take_in(listener)):
            yield

    async def _take_in(self, listener: socket.socket) -> None:
        listener.settimeout(0)
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    connection, address = await loop.sock_accept(listener)
                except ConnectionAbortedError:
                    continue
                except OSError as error:
                    LOG.warning("connections of sites cannot be taken (%s): tried again", error)
                    await asyncio.sleep(NO_FILES_S)
                    continue
                self._begin(connection, network_of(str(address[0])))
                await asyncio.sleep(0)  # where there are many, others have their turn in between
        finally:
            for task in self._under_way:
                task.cancel()

    def _begin(self, connection: socket.socket, network: str) -> None:
        if len(self._under_way) >= MOST_HANDSHAKES:
            task = giving_way(self._under_way)
            del self._under_way[task]
            task.cancel()
        begun = asyncio.create_task(self._shake_hands(connection))
        self._under_way[begun] = network
        begun.add_done_callback(lambda task: self._under_way.pop(task, None))

    async def _shake_hands(self, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._made,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=GOODBYE_S,
            )
        except OSError as error:
            LOG.debug("a handshake came to nothing: %s", error)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)
