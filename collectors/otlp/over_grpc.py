"""OTLP/gRPC: `TraceService/Export`, for applications and for a collector that passes on the spans of a pool's server.

A call has no path to name a pool by, so the metadata `gridwright-pool` does; a call without it is an application's. The
handler is made by hand where the generated one would parse a request whole before anything could bound it, and takes a
stream where OTLP sends one message, for a stream need not be read: a call that is one too many costs nothing more.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import grpc  # type: ignore[import-untyped]  # its stubs are a package apart

from collectors.otlp.body import BodyBrokenError
from collectors.otlp.decode_protobuf import decode_protobuf
from collectors.otlp.encoding import PROTOBUF
from collectors.otlp.receiver import RefusedError, TraceReceiver
from collectors.otlp.rpc_status import Code, as_protobuf

SERVICE: Final = "opentelemetry.proto.collector.trace.v1.TraceService"
METHOD: Final = "Export"
POOL: Final = "gridwright-pool"
STATUS_DETAILS: Final = "grpc-status-details-bin"
STOP_WITHIN_S: Final = 1.0
CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


class GrpcAddressError(Exception):
    """The receiver cannot listen where it should; the message says where, and what to do."""


@asynccontextmanager
async def serving_grpc(receiver: TraceReceiver, address: str) -> AsyncIterator[int]:
    """Serve at an address (port 0 for any) while the block runs, which is given the port.

    Raises GrpcAddressError when the address is taken.
    """
    options = (
        ("grpc.max_receive_message_length", receiver.limits.inflated_bytes),  # also what a message may inflate to
        ("grpc.max_concurrent_streams", receiver.limits.at_once),
        ("grpc.so_reuseport", 0),  # a second receiver at the same port is a mistake, not a share of the load
    )
    server = grpc.aio.server(options=options)
    export = grpc.stream_unary_rpc_method_handler(_Exports(receiver).export)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: export}),))
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise GrpcAddressError(f"{address} cannot be listened at; free it, or name another as otlpGrpc") from error
    await server.start()
    try:
        yield port
    finally:
        await server.stop(STOP_WITHIN_S)


class _Exports:
    def __init__(self, receiver: TraceReceiver) -> None:
        self._receiver = receiver

    async def export(self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> bytes:
        """The answer to one export, or the call's end with a status that says what to do next."""
        metadata = dict(context.invocation_metadata() or ())
        body = bytearray()
        try:
            with self._receiver.counting_refusals(body):
                pool = str(metadata.get(POOL, ""))
                self._receiver.check_pool(pool)
                await self._receiver.read(self._first(requests, body))
                decoded = self._receiver.take(pool, lambda: decode_protobuf(bytes(body)))
        except RefusedError as refusal:
            return await self._refuse(refusal, context)
        return PROTOBUF.accepted(decoded.refused)

    async def _first(self, requests: AsyncIterator[bytes], body: bytearray) -> None:
        async for message in requests:
            body += message
            return
        raise BodyBrokenError("the call ended without a message; send one export in each call")

    async def _refuse(self, refusal: RefusedError, context: grpc.aio.ServicerContext) -> bytes:
        """RESOURCE_EXHAUSTED asks to be tried again only where a RetryInfo says when: a busy receiver gives one."""
        again = refusal.code is Code.UNAVAILABLE
        code = Code.RESOURCE_EXHAUSTED if again else refusal.code
        details = as_protobuf(code, refusal.message, self._receiver.limits.retry_after if again else None)
        await context.abort(CODES[code.value], refusal.message, ((STATUS_DETAILS, details),))
        raise AssertionError("abort raises")
