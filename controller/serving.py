"""Serving an application over HTTP beside a block of code."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from controller.connections.addresses import split_address

END_WITHIN_S: Final = 2
"""How long requests are still answered at the end; one that never comes whole would hold it up for good."""


class Server(uvicorn.Server):
    """A server that leaves signals to whoever started the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@asynccontextmanager
async def serving(app: ASGIApp, address: str) -> AsyncIterator[None]:
    """Serve an application at an address while the block runs; signals stay with whoever started the process."""
    host, port = split_address(address)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=END_WITHIN_S,
    )
    async with started(Server(config)):
        yield


@asynccontextmanager
async def started(server: Server, *, listens: bool = True) -> AsyncIterator[None]:
    """Have a server run while the block does. One that does not listen is given its connections by somebody else."""
    task = asyncio.create_task(server.serve(None if listens else []))
    try:
        while not server.started:
            if task.done():
                task.result()
            await asyncio.sleep(0.02)
        yield
    finally:
        server.should_exit = True
        await task
