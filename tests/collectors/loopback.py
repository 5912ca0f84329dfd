"""An HTTP source on the loopback that answers as told: whole, garbled, for ever, or a byte at a time."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Source:
    """`answers` holds what each path is answered with; `""` stands for any other path."""

    url: str
    answers: dict[str, Answer] = field(default_factory=dict)
    sent_bytes: int = 0
    requests: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    async def respond(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head.decode("latin-1"))
            path = head.split(b" ")[1].decode()
            self.requests.append(path)
            answer = self.answers.get(path.partition("?")[0]) or self.answers[""]
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the reader went away, as it should from an answer without end
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None) -> AsyncIterator[Source]:
    source = Source("")
    running: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        running.add(asyncio.create_task(source.respond(reader, writer)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    source.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield source
    server.close()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for writer in writers:  # a task that was cancelled before it ran has closed nothing
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    await server.wait_closed()


def body(content: bytes, status: int = 200, headers: str = "") -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(content)}\r\nconnection: close\r\n{headers}\r\n"
        writer.write(head.encode() + content)
        await writer.drain()

    return answer


def for_ever(source: Source) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            source.sent_bytes += 65536

    return answer


async def a_byte_at_a_time(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n")
    while True:
        writer.write(b"n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()
    writer.close()


async def breaking_off(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\nnv_")
    await writer.drain()


def nobody_there() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
