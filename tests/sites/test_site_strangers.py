"""Connections without a certificate, or with one that was revoked, keep no site out: on real sockets."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import httpx
import pytest
from hubs import Called, enrolment, requested

from controller.sites.calls import PLAN, REGISTER
from controller.sites.hub import peer

PARIS = "edge-paris"


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def opened(called: Called, source: str = "127.0.0.1") -> Connection:
    """A connection without a certificate, whose handshake is done."""
    host, port = called.url.removeprefix("https://").split(":")
    return await asyncio.open_connection(host, int(port), ssl=called.context(), local_addr=(source, 0))


async def has_ended(reader: asyncio.StreamReader) -> bool:
    """Whether a connection ends within 2 s, in whatever way."""
    with suppress(OSError):
        await asyncio.wait_for(reader.read(), 2)
    return reader.at_eof() or reader.exception() is not None


async def test_strangers_take_no_connections_of_sites(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "STRANGERS", 3)
    site = await called.site(PARIS)
    for client in called.opened[:-1]:
        await client.aclose()
    await asyncio.sleep(0.1)
    standing = [await opened(called) for _ in range(4)]
    assert await has_ended(standing[0][0])
    assert not standing[-1][0].at_eof()
    assert (await site.get(PLAN)).status_code == 204
    for _, writer in standing:
        writer.close()


async def test_who_holds_the_places_of_strangers_keeps_nobody_from_registering(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "STRANGERS", 8)
    many = [await opened(called, "127.0.0.3") for _ in range(8)]
    few = [await opened(called, "127.0.0.2") for _ in range(3)]
    more = [await opened(called, "127.0.0.3") for _ in range(20)]
    assert all([await has_ended(each[0]) for each in (*many, *more[:-5])])
    assert not any(reader.at_eof() for reader, _ in (*few, *more[-5:]))
    site = await called.site(PARIS)
    assert (await site.get(PLAN)).status_code == 204
    for _, writer in (*many, *few, *more):
        writer.close()


async def guessed(called: Called, source: str, times: int) -> list[int]:
    """The answers to so many tokens that are none, sent one after the other from an address."""
    _, request = requested()
    transport = httpx.AsyncHTTPTransport(verify=called.context(), local_address=source)
    async with httpx.AsyncClient(base_url=called.url, transport=transport, trust_env=False) as client:
        return [(await client.post(REGISTER, content=enrolment(request, "guess"))).status_code for _ in range(times)]


async def test_who_guesses_tokens_keeps_nobody_from_registering(called: Called) -> None:
    assert await guessed(called, "127.0.0.3", 62) == [403] * 60 + [429] * 2
    assert (await (await called.site(PARIS)).get(PLAN)).status_code == 204
    called.clock.passed = timedelta(minutes=1)
    assert await guessed(called, "127.0.0.3", 1) == [403], "a minute later it may try again"


async def test_a_certificate_that_was_revoked_keeps_its_site_out_by_no_number_of_connections(called: Called) -> None:
    credentials, key = await called.register(PARIS)
    stolen = called.context(credentials.certificate, key)
    host, port = called.url.removeprefix("https://").split(":")
    standing = [await asyncio.open_connection(host, int(port), ssl=stolen) for _ in range(peer.CONNECTIONS_A_SITE)]
    called.registry.revoke(PARIS)
    site = await called.site(PARIS)
    assert (await site.get(PLAN)).status_code == 204
    more = await asyncio.open_connection(host, int(port), ssl=stolen)
    assert [await has_ended(each[0]) for each in standing[:2]] == [True] * 2, "who has most gives way"
    assert not more[0].at_eof()
    assert (await site.get(PLAN)).status_code == 204
    for _, writer in (*standing, more):
        writer.close()


async def test_a_second_request_is_waited_for_no_longer_than_the_first(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "REQUEST_S", 0.2)
    reader, writer = await opened(called)
    writer.write(b"GET /v1/plan HTTP/1.1\r\nhost: a\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 403")
    writer.write(b"GET /v1/plan HTTP/1.1\r\n")
    assert await has_ended(reader)
    writer.close()
