"""Serving an application over HTTP beside a block of code."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from controller.connections.addresses import split_address


@dataclass(frozen=True, slots=True)
class Secured:
    """How an address is served over TLS: the context, what speaks HTTP there, and how many connections there may be."""

    context: ssl.SSLContext
    protocol: type[asyncio.Protocol]
    most_connections: int


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever started the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@asynccontextmanager
async def serving(app: ASGIApp, address: str, secured: Secured | None = None) -> AsyncIterator[None]:
    """Serve an application at an address while the block runs; signals stay with whoever started the process."""
    server = _Server(_config(app, address, secured))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if task.done():
                task.result()
            await asyncio.sleep(0.02)
        yield
    finally:
        server.should_exit = True
        await task


def _config(app: ASGIApp, address: str, secured: Secured | None) -> uvicorn.Config:
    host, port = split_address(address)
    if secured is None:
        return uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, lifespan="off")
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        http=secured.protocol,
        ws="none",
        limit_concurrency=secured.most_connections,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    config.load()
    config.ssl = secured.context  # of files, uvicorn would make one that takes TLS 1.2
    return config
