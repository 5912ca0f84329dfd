"""What wakes the loop between turns: servers that stop answering, in whichever way, and none that is merely slow."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from collectors.transport import ServersClient
from controller.loop import vigil
from controller.loop.vigil import keep_vigil

KEY = ("edge-paris-cpu", "")


@asynccontextmanager
async def answering(after_s: float = 0) -> AsyncIterator[str]:
    """The address of a server that is alive, and answers after a while."""

    answers = set[asyncio.Task[None] | None]()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.add(asyncio.current_task())
        await asyncio.sleep(after_s)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*(task for task in answers if task))


@contextmanager
def without_power() -> Iterator[str]:
    """An address from which nothing comes back: whoever listens takes no connection any more."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):  # as many as wait to be taken
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


async def is_woken(*looks: str) -> bool:
    """Whether the loop is woken where the server is found at these addresses, look by look."""
    woken, left = asyncio.Event(), list(looks)
    looked = asyncio.Event()

    def servers() -> dict[tuple[str, str], str]:
        if not left:
            looked.set()
            return {KEY: looks[-1]}
        return {KEY: left.pop(0)}

    async with ServersClient() as client, asyncio.timeout(20):
        watching = asyncio.create_task(keep_vigil(client, servers, lambda _: woken.set()))
        await looked.wait()
        watching.cancel()
    return woken.is_set()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vigil, "LOOK_S", 0.01)
    monkeypatch.setattr(vigil, "ANSWER_WITHIN_S", 0.5)


async def test_a_server_that_takes_no_connection_any_more_wakes_the_loop() -> None:
    with without_power() as silent:
        async with answering() as alive:
            assert await is_woken(alive, silent)
            assert await is_woken(silent, alive)
        assert not await is_woken(silent, silent)


async def test_a_server_that_refuses_wakes_the_loop_and_one_that_is_slow_does_not() -> None:
    async with answering() as alive, answering(after_s=0.8) as slow:
        assert not await is_woken(alive, slow)
        assert await is_woken(alive, "http://127.0.0.1:1")
