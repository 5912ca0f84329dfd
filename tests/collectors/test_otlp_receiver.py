import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Iterator, MutableMapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from posts import export, json_span, protobuf_export

from collectors.otlp.inbox import Inbox
from collectors.otlp.over_http import otlp_router
from collectors.otlp.receiver import Intake, PostLimits, TraceReceiver
from collectors.otlp.rpc_status import STATUS, Code

JSON = {"content-type": "application/json"}
PROTOBUF = {"content-type": "application/x-protobuf"}
GZIP = {"content-encoding": "gzip"}
LIMITS = PostLimits(body_bytes=4096, inflated_bytes=8192, read_within=timedelta(seconds=0.2), at_once=2)


class Receiver:
    """A receiver behind its endpoints, with room for ten spans an inbox."""

    def __init__(self) -> None:
        self.servers, self.applications = Inbox(10), Inbox(10)
        self.receiver = TraceReceiver(["edge"], self.servers, self.applications, LIMITS)
        self.app = FastAPI()
        self.app.include_router(otlp_router(self.receiver))
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://receiver")

    async def post(
        self, content: bytes | AsyncIterator[bytes], headers: dict[str, str], path: str = "/v1/traces"
    ) -> httpx.Response:
        return await self._client.post(path, content=content, headers=headers)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    return Receiver()


def refusal(answer: httpx.Response) -> tuple[int, int]:
    """The HTTP status and the code of the google.rpc.Status in the request's encoding."""
    if answer.headers["content-type"] == "application/json":
        status = answer.json()
        assert set(status) == {"code", "message"}
        return answer.status_code, status["code"]
    assert answer.headers["content-type"] == "application/x-protobuf"
    message = STATUS.FromString(answer.content)
    assert message.message
    return answer.status_code, message.code


async def test_a_post_in_json_is_taken_and_answered_in_json(receiver: Receiver) -> None:
    answer = await receiver.post(export(json_span(1)), {"content-type": "Application/JSON; charset=utf-8"})
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == "application/json"
    assert [(batch.pool, len(batch.spans)) for batch in receiver.applications.drain()] == [("", 1)]


async def test_a_post_in_protobuf_is_taken_and_answered_in_protobuf(receiver: Receiver) -> None:
    answer = await receiver.post(protobuf_export()[0].SerializeToString(), PROTOBUF)
    assert answer.status_code == 200
    assert not ExportTraceServiceResponse.FromString(answer.content).HasField("partial_success")
    assert len(receiver.applications.drain()) == 1


async def test_a_compressed_post_is_inflated(receiver: Receiver) -> None:
    answer = await receiver.post(gzip.compress(export(json_span(1))), {**JSON, **GZIP})
    assert answer.status_code == 200
    assert receiver.receiver.intake.spans == 1


async def test_the_path_tells_which_pool_a_server_is_of(receiver: Receiver) -> None:
    assert (await receiver.post(export(json_span(1)), JSON, "/otlp/edge/v1/traces")).status_code == 200
    assert [batch.pool for batch in receiver.servers.drain()] == ["edge"]
    assert receiver.applications.drain() == ()


async def test_a_pool_that_nobody_knows_is_refused(receiver: Receiver) -> None:
    answer = await receiver.post(export(json_span(1)), JSON, "/otlp/elsewhere/v1/traces")
    assert refusal(answer) == (404, Code.NOT_FOUND)


async def test_spans_that_cannot_be_used_are_told_of_in_a_partial_success(receiver: Receiver) -> None:
    answer = await receiver.post(export(json_span(1), {}, {}), JSON)
    assert answer.status_code == 200
    assert answer.json()["partialSuccess"]["rejectedSpans"] == "2"
    assert receiver.receiver.intake.refused_spans == 2

    request, span = protobuf_export()
    span.trace_id = b""
    told = ExportTraceServiceResponse.FromString((await receiver.post(request.SerializeToString(), PROTOBUF)).content)
    assert MessageToDict(told)["partialSuccess"]["rejectedSpans"] == "1"


@pytest.mark.parametrize("headers", [JSON, PROTOBUF])
async def test_a_broken_body_is_refused_in_its_own_encoding(receiver: Receiver, headers: dict[str, str]) -> None:
    assert refusal(await receiver.post(b"\xff\xff", headers)) == (400, Code.INVALID_ARGUMENT)


@pytest.mark.parametrize("headers", [{}, {"content-type": "text/plain"}, {**JSON, "content-encoding": "br"}])
async def test_an_encoding_that_is_not_known_is_refused(receiver: Receiver, headers: dict[str, str]) -> None:
    assert refusal(await receiver.post(b"{}", headers)) == (415, Code.UNIMPLEMENTED)


async def test_a_body_on_the_limit_is_taken_and_one_over_it_refused(receiver: Receiver) -> None:
    whole = export(json_span(1)).ljust(LIMITS.body_bytes)
    assert (await receiver.post(whole, JSON)).status_code == 200
    assert refusal(await receiver.post(whole + b" ", JSON)) == (413, Code.RESOURCE_EXHAUSTED)
    assert receiver.receiver.intake.refused_bytes == LIMITS.body_bytes + 1


async def test_a_body_is_inflated_to_the_limit_and_no_further(receiver: Receiver) -> None:
    whole = export(json_span(1)).ljust(LIMITS.inflated_bytes)
    headers = {**JSON, **GZIP}
    assert (await receiver.post(gzip.compress(whole), headers)).status_code == 200
    assert refusal(await receiver.post(gzip.compress(whole + b" "), headers)) == (413, Code.RESOURCE_EXHAUSTED)
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    content = b"".join(bomb.compress(bytes(1_000_000)) for _ in range(3)) + bomb.flush()
    assert len(content) < LIMITS.body_bytes
    assert refusal(await receiver.post(content, headers)) == (413, Code.RESOURCE_EXHAUSTED)


@pytest.mark.parametrize(
    "content",
    [b"", b"not gzip", gzip.compress(b"{}")[:-1], gzip.compress(b"{}") + b"x", gzip.compress(b"{}") * 2],
    ids=["nothing", "other", "cut off", "more behind", "two"],
)
async def test_what_is_not_one_whole_gzip_stream_is_refused(receiver: Receiver, content: bytes) -> None:
    assert refusal(await receiver.post(content, {**JSON, **GZIP})) == (400, Code.INVALID_ARGUMENT)


async def test_a_full_inbox_sends_the_sender_away_until_it_was_read(receiver: Receiver) -> None:
    ten = export(*(json_span(number) for number in range(1, 11)))
    assert (await receiver.post(ten, JSON)).status_code == 200
    answer = await receiver.post(export(json_span(11)), JSON)
    assert refusal(answer) == (503, Code.UNAVAILABLE)
    assert int(answer.headers["retry-after"]) > 0
    assert (receiver.receiver.intake.refused_posts, receiver.receiver.intake.spans) == (1, 10)
    assert (await receiver.post(ten, JSON, "/otlp/edge/v1/traces")).status_code == 200
    receiver.applications.drain()
    assert (await receiver.post(export(json_span(11)), JSON)).status_code == 200


async def test_a_post_is_taken_whole_or_not_at_all(receiver: Receiver) -> None:
    nine, two = (export(*(json_span(first + number) for number in range(count))) for first, count in ((1, 9), (10, 2)))
    assert (await receiver.post(nine, JSON)).status_code == 200
    assert refusal(await receiver.post(two, JSON)) == (503, Code.UNAVAILABLE)
    assert receiver.receiver.intake.refused_spans == 2
    assert [len(batch.spans) for batch in receiver.applications.drain()] == [9]


async def test_a_post_that_would_never_fit_is_not_to_be_sent_again(receiver: Receiver) -> None:
    eleven = export(*(json_span(number) for number in range(1, 12)))
    answer = await receiver.post(eleven, JSON)
    assert refusal(answer) == (413, Code.RESOURCE_EXHAUSTED)
    assert "retry-after" not in answer.headers


async def test_a_full_inbox_refuses_before_anything_is_decoded(receiver: Receiver) -> None:
    assert (await receiver.post(export(*(json_span(number) for number in range(1, 11))), JSON)).status_code == 200
    assert refusal(await receiver.post(b"garbage", JSON)) == (503, Code.UNAVAILABLE)


async def slowly() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.sleep(60)
    yield b"}"


async def test_a_body_that_comes_too_slowly_is_refused(receiver: Receiver) -> None:
    assert refusal(await receiver.post(slowly(), JSON)) == (408, Code.DEADLINE_EXCEEDED)


async def test_more_posts_than_are_read_at_once_are_sent_away(receiver: Receiver) -> None:
    answers = await asyncio.gather(*(receiver.post(slowly(), JSON) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [408, 408, 503]
    assert (await receiver.post(b"{}", JSON)).status_code == 200


async def test_everything_that_came_is_counted(receiver: Receiver) -> None:
    await receiver.post(export(json_span(1), json_span(2), {}), JSON)
    await receiver.post(b"garbage", JSON)
    expected = Intake(posts=1, spans=2, refused_posts=1, refused_bytes=len(b"garbage"), refused_spans=1)
    assert receiver.receiver.intake == expected


async def test_an_empty_export_is_taken(receiver: Receiver) -> None:
    assert (await receiver.post(json.dumps({"resourceSpans": []}).encode(), JSON)).status_code == 200


async def test_a_sender_that_breaks_off_is_refused_and_nothing_is_taken(receiver: Receiver) -> None:
    messages = iter(
        [{"type": "http.request", "body": b'{"resourceSpans"', "more_body": True}, {"type": "http.disconnect"}]
    )
    sent: list[int] = []

    async def receive() -> dict[str, object]:
        return next(messages)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message.get("status", 0))

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/traces",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    await receiver.app(scope, receive, send)
    assert sent[0] == 400
    assert receiver.receiver.intake == Intake(refused_posts=1, refused_bytes=16)
    assert receiver.applications.drain() == ()
