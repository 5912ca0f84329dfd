"""Serving what sites ask for at an address, over TLS with their certificates."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from controller.connections.addresses import split_address
from controller.connections.reading import ConnectionsError
from controller.serving import Server, started
from controller.sites.hub.door import Door, listening
from controller.sites.hub.peer import PeerProtocol


@asynccontextmanager
async def answering(app: ASGIApp, address: str, context: ssl.SSLContext, most_connections: int) -> AsyncIterator[None]:
    """Serve an application while the block runs, over so many connections at once. Raises ConnectionsError.

    The server listens nowhere: connections come to it through a door that bounds their handshakes.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        http=PeerProtocol,
        ws="none",
        limit_concurrency=most_connections,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = Server(config)
    door = Door(context, lambda: PeerProtocol(config, server.server_state, server.lifespan.state))
    try:
        listener = listening(*split_address(address))
    except OSError as error:
        raise ConnectionsError(
            f"sites cannot call in at {address}, their address ({error.strerror}): give one that is free"
        ) from error
    with listener:
        async with started(server, listens=False), door.open_at(listener):
            yield
