"""What is refused before anything reads it: bodies too large or too slow, and hosts that the API was not meant for."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controller.api.problems import Problem

MAX_BODY_BYTES: Final = 64 * 1024
BODY_DEADLINE_S: Final = 10.0


class Guard:
    """ASGI middleware. `hosts` are the names (without port) that a request may address.

    A page in a browser on this machine can reach a loopback port, but only under a name of its own.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its whole body, or answer with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(Headers(scope=scope))
            body = await _whole_body(receive)
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        unread = [body]

        async def replayed() -> Message:
            return unread.pop() if unread else await receive()

        await self._app(scope, replayed, send)

    def _check(self, headers: Headers) -> None:
        if _name(headers.get("host", "")) not in self._hosts:
            detail = f"address the API as one of: {', '.join(sorted(self._hosts))}"
            raise Problem(HTTPStatus.MISDIRECTED_REQUEST, "unknown-host", "The API does not go by that name", detail)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            raise _too_large()


def _name(host: str) -> str:
    """The name in a Host header; empty when it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


async def _whole_body(receive: Receive) -> Message:
    """The request's body as one message. Raises Problem when it is too large or does not come."""
    parts, taken = [], 0
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return message
                parts.append(message.get("body", b""))
                taken += len(parts[-1])
                if taken > MAX_BODY_BYTES:
                    raise _too_large()
                if not message.get("more_body", False):
                    return {"type": "http.request", "body": b"".join(parts), "more_body": False}
    except TimeoutError as error:
        detail = f"send the whole body within {BODY_DEADLINE_S:g} s"
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, "too-slow", "The request's body did not come", detail) from error


def _too_large() -> Problem:
    detail = f"send at most {MAX_BODY_BYTES} bytes"
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "The request's body is too large", detail)
