"""Triton's repository over gRPC, which models are loaded and unloaded by.

gRPC does not tell which address was called. So what listens at all addresses passes each connection on from that very
address, by which the service then knows its caller.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from controller.embedded.ports import HOST
from tests.cluster.many_tritons.models import Triton
from tests.cluster.many_tritons.pods import Servers

CHUNK = 65_536


class Repository(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]
    """Loads and unloads, each after the time that a load takes."""

    def __init__(self, servers: Servers, load_s: float) -> None:
        self._servers = servers
        self._load_s = load_s

    async def RepositoryModelLoad(self, request: Any, context: Any) -> Any:  # noqa: N802 - named by the protocol
        """Have a model in memory, as the request's configuration has it where there is one."""
        server = await self._server(context, request.model_name)
        await asyncio.sleep(self._load_s)
        text = request.parameters["config"].string_param if "config" in request.parameters else ""
        server.load(request.model_name, json.loads(text) if text else None)
        return service_pb2.RepositoryModelLoadResponse()

    async def RepositoryModelUnload(self, request: Any, context: Any) -> Any:  # noqa: N802 - named by the protocol
        """Have a model gone."""
        server = await self._server(context, request.model_name)
        server.unload(request.model_name)
        return service_pb2.RepositoryModelUnloadResponse()

    async def _server(self, context: Any, name: str) -> Triton:
        address = context.peer().partition(":")[2].rpartition(":")[0]
        server = await self._servers.at(address)
        if server is None:
            await context.abort(grpc.StatusCode.UNAVAILABLE, f"no pod has the address {address}")
        elif not server.holds(name):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"failed to load '{name}', no such model")
        return server


@asynccontextmanager
async def serving(servers: Servers, listener: socket.socket, load_s: float) -> AsyncIterator[None]:
    """Serve at a listener of all addresses while the block runs."""
    server = grpc.aio.server()
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Repository(servers, load_s), server)
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("sockname")[0]
        there, back = await asyncio.open_connection(HOST, port, local_addr=(address, 0))
        await asyncio.gather(_pour(reader, back), _pour(there, writer))

    accepting = await asyncio.start_server(passed_on, sock=listener)
    try:
        yield
    finally:
        accepting.close()
        await server.stop(None)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
