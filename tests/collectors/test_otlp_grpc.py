"""OTLP/gRPC over the loopback, with the stub that the OpenTelemetry project generates and with raw calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from posts import identity, protobuf_export

from collectors.otlp.decode_protobuf import MAX_FIELDS
from collectors.otlp.inbox import Inbox
from collectors.otlp.over_grpc import GrpcAddressError, serving_grpc
from collectors.otlp.receiver import PostLimits, TraceReceiver
from collectors.otlp.rpc_status import RETRY_INFO, RETRY_INFO_TYPE, STATUS

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LIMITS = PostLimits(inflated_bytes=500_000, retry_after=timedelta(seconds=2))
Status = grpc.StatusCode


class Called:
    """A receiver with room for ten spans, and a channel to it."""

    def __init__(self, limits: PostLimits) -> None:
        self.servers, self.applications = Inbox(10), Inbox(10)
        self.receiver = TraceReceiver(["edge"], self.servers, self.applications, limits)
        self.address = ""
        self.channel: Any = None

    async def export(self, request: ExportTraceServiceRequest, **options: Any) -> ExportTraceServiceResponse:
        return await TraceServiceStub(self.channel).Export(request, timeout=5, **options)

    async def refused(self, body: bytes, **options: Any) -> grpc.aio.AioRpcError:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.channel.unary_unary(EXPORT)(body, timeout=5, **options)
        return caught.value


@asynccontextmanager
async def calling(limits: PostLimits = LIMITS) -> AsyncIterator[Called]:
    called = Called(limits)
    async with serving_grpc(called.receiver, "127.0.0.1:0") as port:
        called.address = f"127.0.0.1:{port}"
        async with grpc.aio.insecure_channel(called.address) as called.channel:
            yield called


def of_spans(*numbers: int) -> ExportTraceServiceRequest:
    request, first = protobuf_export()
    scope = request.resource_spans[0].scope_spans[0]
    for _ in numbers[1:]:
        scope.spans.add().CopyFrom(first)
    for span, number in zip(scope.spans, numbers, strict=True):
        span.span_id = identity(number)[16:]
    return request


def retry_delay(error: grpc.aio.AioRpcError) -> float | None:
    """The seconds of the RetryInfo in the status details; None without one."""
    trailing = dict(error.trailing_metadata() or ())
    status = STATUS.FromString(trailing["grpc-status-details-bin"])
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    if not status.details:
        return None
    assert status.details[0].type_url == RETRY_INFO_TYPE
    return float(RETRY_INFO.FromString(status.details[0].value).retry_delay.ToTimedelta().total_seconds())


async def test_a_call_without_a_pool_is_an_applications() -> None:
    async with calling() as called:
        answer = await called.export(of_spans(1, 2))
        assert not answer.HasField("partial_success")
        assert [(batch.pool, len(batch.spans)) for batch in called.applications.drain()] == [("", 2)]


async def test_metadata_tell_the_pool_that_spans_are_of() -> None:
    async with calling() as called:
        await called.export(of_spans(1), metadata=(("gridwright-pool", "edge"),))
        assert [batch.pool for batch in called.servers.drain()] == ["edge"]


async def test_a_pool_that_nobody_knows_is_refused_for_good() -> None:
    async with calling() as called:
        error = await called.refused(b"", metadata=(("gridwright-pool", "elsewhere"),))
        assert (error.code(), retry_delay(error)) == (Status.NOT_FOUND, None)


async def test_a_compressed_call_is_taken() -> None:
    async with calling() as called:
        await called.export(of_spans(1), compression=grpc.Compression.Gzip)
        assert called.receiver.intake.spans == 1


async def test_spans_that_cannot_be_used_are_told_of_in_a_partial_success() -> None:
    request = of_spans(1, 2, 3)
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = b""
    async with calling() as called:
        answer = await called.export(request)
        assert answer.partial_success.rejected_spans == 1
        assert answer.partial_success.error_message
        assert called.receiver.intake.spans == 2


async def test_a_full_inbox_sends_the_sender_away_for_a_while() -> None:
    async with calling() as called:
        await called.export(of_spans(*range(1, 11)))
        error = await called.refused(of_spans(11).SerializeToString())
        assert (error.code(), retry_delay(error)) == (Status.RESOURCE_EXHAUSTED, 2.0)
        called.applications.drain()
        await called.export(of_spans(11))
        assert called.receiver.intake.refused_posts == 1


async def test_a_call_that_would_never_fit_is_not_to_be_sent_again() -> None:
    async with calling() as called:
        error = await called.refused(of_spans(*range(1, 12)).SerializeToString())
        assert (error.code(), retry_delay(error)) == (Status.RESOURCE_EXHAUSTED, None)


async def test_more_calls_than_are_read_at_once_are_sent_away_for_a_while() -> None:
    own_connection = (("grpc.use_local_subchannel_pool", 1),)
    async with (
        calling(PostLimits(at_once=1)) as called,
        grpc.aio.insecure_channel(called.address, own_connection) as second,
    ):
        slow = called.channel.stream_unary(EXPORT)(timeout=5)
        await slow.wait_for_connection()
        while not called.receiver.busy:  # noqa: ASYNC110 - nothing else tells that the call has arrived
            await asyncio.sleep(0.01)
        called.channel = second
        error = await called.refused(of_spans(1).SerializeToString())
        assert (error.code(), retry_delay(error)) == (Status.RESOURCE_EXHAUSTED, 5.0)
        slow.cancel()


@pytest.mark.parametrize("body", [b"\xff\xff", b"\x0a\x05ab", b"\x78\x01" * (MAX_FIELDS + 1)])
async def test_what_is_no_export_is_refused_for_good(body: bytes) -> None:
    async with calling() as called:
        error = await called.refused(body)
        assert (error.code(), retry_delay(error)) == (Status.INVALID_ARGUMENT, None)
        assert called.receiver.intake.refused_bytes == len(body)


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
async def test_a_message_over_the_limit_is_refused_also_when_it_was_small_before_it_inflated(compression: Any) -> None:
    async with calling() as called:
        error = await called.refused(bytes(LIMITS.inflated_bytes + 1), compression=compression)
        assert error.code() == Status.RESOURCE_EXHAUSTED
        assert called.receiver.intake.posts == 0


async def test_a_call_without_a_message_is_refused() -> None:
    async with calling() as called:
        call = called.channel.stream_unary(EXPORT)(timeout=5)
        await call.done_writing()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() == Status.INVALID_ARGUMENT


async def test_a_caller_that_sends_nothing_is_not_waited_for() -> None:
    async with calling(PostLimits(read_within=timedelta(seconds=0.1))) as called:
        call = called.channel.stream_unary(EXPORT)(timeout=5)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() == Status.DEADLINE_EXCEEDED


async def test_an_address_that_is_taken_is_told() -> None:
    async with calling() as called, serving_grpc(called.receiver, "127.0.0.1:0") as port:
        with pytest.raises(GrpcAddressError, match="otlpGrpc"):
            async with serving_grpc(called.receiver, f"127.0.0.1:{port}"):
                pass
