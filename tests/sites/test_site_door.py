"""Connections to the port of sites that never are: on real sockets, beside sites that are answered meanwhile."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hubs import Called, hub_at

from controller.connections.reading import ConnectionsError
from controller.sites.calls import PLAN
from controller.sites.hub import answering, door, peer
from controller.sites.hub.app import site_calls
from controller.sites.hub.fairness import giving_way, network_of
from controller.sites.hub.making_keys import AUTHORITY, CERTIFICATE, KEY
from controller.sites.hub.peer import context_of
from controller.sites.site_plan import SitePlan
from tests.sites.agent_world import LOADS, START

PARIS = "edge-paris"
HELLO = bytes.fromhex("1603010200010001fc0303")
"""How a client's first message begins, which has 512 bytes."""

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def opened(called: Called, source: str = "127.0.0.1", said: bytes = b"") -> Connection:
    """A connection of TCP on which no handshake is ever done."""
    host, port = called.url.removeprefix("https://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(source, 0))
    writer.write(said)
    await writer.drain()
    return reader, writer


async def has_ended(connection: Connection, within_s: float) -> bool:
    reader, _ = connection
    with suppress(OSError):
        await asyncio.wait_for(reader.read(), within_s)
    return reader.at_eof() or reader.exception() is not None


@pytest.mark.parametrize("said", [b"", HELLO, HELLO + bytes(100)], ids=["nothing", "the beginning", "a part"])
async def test_a_handshake_that_is_never_done_ends(
    called: Called, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(door, "HANDSHAKE_S", 0.5)
    reader, writer = await opened(called, said=said)
    assert not await has_ended((reader, writer), 0.2)
    assert await has_ended((reader, writer), 2)
    writer.close()


async def test_handshakes_that_are_never_done_keep_no_site_out(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MOST_HANDSHAKES", 8)
    standing = [await opened(called) for _ in range(40)]
    ended = [await has_ended(each, 0.05) for each in standing]
    assert ended == [True] * 32 + [False] * 8
    site = await called.site(PARIS)
    assert (await site.get(PLAN)).status_code == httpx.codes.NO_CONTENT
    for _, writer in standing:
        writer.close()


async def test_who_holds_most_gives_way_first(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MOST_HANDSHAKES", 8)
    slow = [await opened(called, "127.0.0.2") for _ in range(3)]
    many = [await opened(called, "127.0.0.3") for _ in range(30)]
    assert [await has_ended(each, 0.05) for each in slow] == [False] * 3
    assert [await has_ended(each, 0.05) for each in many] == [True] * 25 + [False] * 5
    for _, writer in (*slow, *many):
        writer.close()


async def test_a_connection_that_is_through_takes_no_room_of_handshakes(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "MOST_HANDSHAKES", 2)
    monkeypatch.setattr(door, "HANDSHAKE_S", 1.0)
    site = await called.site(PARIS)
    waiting = asyncio.create_task(site.get(PLAN, params={"wait_s": 3}))
    await asyncio.sleep(0.3)
    standing = [await opened(called) for _ in range(5)]
    assert (await waiting).status_code == httpx.codes.NO_CONTENT
    for _, writer in standing:
        writer.close()


async def test_a_plan_comes_over_a_slow_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(peer, "REQUEST_S", 0.3)
    monkeypatch.setattr(answering, "listening", with_little_room)
    many = tuple(replace(LOADS[0], load=replace(LOADS[0].load, node=f"edge-{index}")) for index in range(1_000))
    async with hub_at(tmp_path, PARIS) as called:
        credentials, key = await called.register(PARIS)
        await called.hub.plans.publish(PARIS, lambda plan: replace(plan, loads=many), SitePlan(PARIS, 0, START, START))
        host, port = called.url.removeprefix("https://").split(":")
        context = called.context(credentials.certificate, key)
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        slow.connect((host, int(port)))
        reader, writer = await asyncio.open_connection(sock=slow, ssl=context, server_hostname=host, limit=4_096)
        writer.write(f"GET {PLAN} HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = (int(line.split()[1]) for line in head.splitlines() if line.startswith(b"content-length"))
        left = length
        while left:
            left -= len(await asyncio.wait_for(reader.read(min(left, 4_096)), 5)) or left
            await asyncio.sleep(0.02)
        assert length > 200_000
        assert not reader.at_eof()
        writer.close()
    assert not caplog.records


def with_little_room(host: str, port: int) -> socket.socket:
    """What listens there, and hands a line so much at a time that what a slow one does not take stays with the hub."""
    listener = door.listening(host, port)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    return listener


async def test_what_a_caller_began_before_the_end_is_ended(tmp_path: Path) -> None:
    async with hub_at(tmp_path, PARIS) as called:
        connection = await opened(called)
        await asyncio.sleep(0.1)
    assert await has_ended(connection, 2)
    connection[1].close()


async def test_an_address_that_is_taken_is_told(called: Called) -> None:
    context = context_of(called.keys / CERTIFICATE, called.keys / KEY, called.keys / AUTHORITY)
    with pytest.raises(ConnectionsError, match=r"in use.*give one that is free"):
        async with answering.answering(site_calls(called.hub), called.url.removeprefix("https://"), context, 8):
            pass


async def test_of_those_that_hold_as_many_the_first_gives_way() -> None:
    tasks = [asyncio.create_task(asyncio.sleep(0)) for _ in range(5)]
    assert giving_way(dict(zip(tasks, ("a", "b", "c", "b", "c"), strict=True))) is tasks[1]
    assert giving_way(dict(zip(tasks, ("a", "b", "c", "c", "c"), strict=True))) is tasks[2]
    await asyncio.gather(*tasks)


def test_a_machine_has_all_addresses_of_its_network() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1")
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("192.0.2.1") != network_of("192.0.2.2")


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
def test_an_address_of_ipv6_is_listened_at() -> None:
    with door.listening("::1", 0) as listener:
        assert listener.family is socket.AF_INET6
