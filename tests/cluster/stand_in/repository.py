"""The gRPC port of a stand-in for Triton: loads and unloads."""

import asyncio
import json

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from tests.cluster.stand_in.triton import Triton

Context = grpc.aio.ServicerContext


class Repository(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]  # it has no types
    """A server's model repository extension. What was begun goes on when whoever asked has gone."""

    def __init__(self, triton: Triton) -> None:
        self._triton = triton

    async def RepositoryModelLoad(  # noqa: N802 -- the name in Triton's protocol
        self, request: service_pb2.RepositoryModelLoadRequest, context: Context
    ) -> service_pb2.RepositoryModelLoadResponse:
        """Load a model."""
        await self._known(request.model_name, context)
        told = request.parameters["config"].string_param if "config" in request.parameters else ""
        loading = asyncio.ensure_future(self._triton.load(request.model_name, json.loads(told) if told else None))
        await asyncio.shield(loading)
        return service_pb2.RepositoryModelLoadResponse()

    async def RepositoryModelUnload(  # noqa: N802 -- the name in Triton's protocol
        self, request: service_pb2.RepositoryModelUnloadRequest, context: Context
    ) -> service_pb2.RepositoryModelUnloadResponse:
        """Unload a model."""
        await self._known(request.model_name, context)
        await asyncio.shield(asyncio.ensure_future(self._triton.unload(request.model_name)))
        return service_pb2.RepositoryModelUnloadResponse()

    async def _known(self, model: str, context: Context) -> None:
        if not self._triton.knows(model):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"failed to find {model} in the model repository")


async def serving(triton: Triton, address: str) -> grpc.aio.Server:
    """A server of gRPC at an address."""
    server = grpc.aio.server()
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Repository(triton), server)
    server.add_insecure_port(address)
    await server.start()
    return server
