"""What a client of servers leaves out: cookies and redirects; and what it keeps: what is asked, and patience."""

import asyncio

import httpx
import pytest
from loopback import Source

from collectors.transport import ServersClient


async def _leading_elsewhere(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nno")
    await writer.drain()


async def _never(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def test_an_answer_is_told_as_it_is_and_leaves_nothing_behind(source: Source) -> None:
    source.answers[""] = _leading_elsewhere
    async with ServersClient() as client:
        answers = [await client.get(f"{source.url}/a") for _ in range(2)]
    assert [(each.status_code, each.text) for each in answers] == [(302, "no")] * 2
    assert str(answers[0].request.url) == f"{source.url}/a"
    assert source.requests == ["/a", "/a"]
    assert not any("cookie" in head.lower() for head in source.heads)


async def test_what_is_asked_goes_out_whole(source: Source) -> None:
    source.answers[""] = _leading_elsewhere
    async with ServersClient() as client:
        await client.post(f"{source.url}/a", params={"x": "y"}, json={"b": 1}, headers={"x-own": "1"})
    (head,) = source.heads
    assert head.startswith("POST /a?x=y ")
    assert "x-own: 1" in head
    assert "content-length: 7" in head.lower()


async def test_patience_is_that_of_the_request_else_of_the_client(source: Source) -> None:
    source.answers[""] = _never
    async with ServersClient() as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(source.url, timeout=0.1)
        client.timeout = httpx.Timeout(0.1)
        with pytest.raises(httpx.ReadTimeout):
            await client.get(source.url)
