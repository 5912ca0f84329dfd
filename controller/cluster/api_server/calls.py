"""Calls to the API server of Kubernetes, for all of this package: bounded in time, in bytes and in number at once.

What the server puts off (429, by its priority and fairness) or cannot do now (5xx) is tried again, later each time and
never before it asks, as long as the call has time. So each call here can be made twice: writes are applied, deleted or
created by name. What it refuses is raised, told apart as far as callers act on it (`errors.py`).
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import msgspec

from controller.cluster.api_server.backoff import asked_s, pause_s
from controller.cluster.api_server.errors import (
    DISRUPTION_BUDGET,
    FIELD_MANAGER,
    BusyError,
    ConflictError,
    RefusedError,
    SilentError,
    UnansweredError,
    refused,
)

Object = Mapping[str, Any]
"""An object of Kubernetes, as its JSON has it."""

MIB: Final = 1024 * 1024
APPLIES: Final = "application/apply-patch+yaml"
JSON: Final = "application/json"
UNANSWERED: Final = 0
CHECK_NETWORK: Final = "see whether the API server runs and whether the network leads to it"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a call may take: all of it, one attempt, the bytes of an answer, and calls at once.

    All of it are its attempts, the pauses between them, and waiting until fewer calls are under way.
    """

    deadline_s: float = 30.0
    attempt_s: float = 15.0
    max_bytes: int = 32 * MIB
    at_once: int = 8


class Calls:
    """Calls by one client, which has the address and the credentials. Raises CallError, whatever goes wrong.

    `answered` counts attempts by verb and status since the start; the status is `UNANSWERED` for those without one.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        limits: Limits = Limits(),
        *,
        draw: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._limits = limits
        self._draw = draw
        self._sleep = sleep
        self._free = asyncio.Semaphore(limits.at_once)
        self.answered: Counter[tuple[str, int]] = Counter()

    async def get(self, path: str, **query: str | int) -> Object:
        """The object at a path, or a list of them."""
        return await self._call("GET", path, query)

    async def create(self, path: str, manifest: Object) -> Object:
        """The new object; `path` is that of the collection.

        Raises ConflictError when there is one of that name, be it of an attempt that got no answer.
        """
        return await self._call("POST", path, {}, manifest)

    async def replace(self, path: str, manifest: Object) -> Object:
        """The object after it was replaced; with a `metadata.resourceVersion`, only if it still has that."""
        return await self._call("PUT", path, {}, manifest)

    async def apply(
        self, path: str, manifest: Object, manager: str, *, force: bool = False, dry_run: bool = False
    ) -> Object:
        """The object after these fields were applied to it, by server-side apply as field manager `manager`.

        Raises ConflictError when others own one of the fields, unless `force` takes it from them.
        """
        how: dict[str, str | int] = {"fieldManager": manager, "force": "true" if force else "false"}
        if dry_run:
            how["dryRun"] = "All"
        return await self._call("PATCH", path, how, manifest, APPLIES)

    async def delete(self, path: str, *, uid: str = "", version: str = "") -> Object:
        """Delete the object; with `uid` or `version` (its resourceVersion), only if it is still that one."""
        wanted = {key: value for key, value in (("uid", uid), ("resourceVersion", version)) if value}
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        return await self._call("DELETE", path, {}, {**options, "preconditions": wanted} if wanted else options)

    @asynccontextmanager
    async def lines(
        self, path: str, query: Mapping[str, str | int], *, silence_s: float
    ) -> AsyncGenerator[AsyncGenerator[Object]]:
        """What the API server tells line by line, as a watch does, until it ends that; not tried again.

        The block begins once it has begun to answer. Raises RefusedError when it does not begin, SilentError when it
        then tells nothing for `silence_s`, and UnansweredError when nothing answers or it breaks off.
        """
        call = f"WATCH {path}"
        timeout = httpx.Timeout(silence_s, connect=self._limits.attempt_s)
        request = self._client.build_request("GET", path, params=query, timeout=timeout)
        status, has_begun = UNANSWERED, False
        try:
            async with aclosing(await self._begun(call, request)) as response:
                status = response.status_code
                if not response.is_success:
                    raise _refused(call, response, await self._body(call, response))
                async with aclosing(self._lines(call, response)) as lines:
                    has_begun = True
                    yield lines
        except httpx.ReadTimeout as error:
            if not has_begun:
                raise _unanswered(call, error) from error
            raise SilentError(f"{call} tells nothing for {silence_s:g} s", CHECK_NETWORK) from error
        except httpx.HTTPError as error:
            raise _unanswered(call, error) from error
        finally:
            self.answered["WATCH", status] += 1

    async def _begun(self, call: str, request: httpx.Request) -> httpx.Response:
        """The answer, of which the body is still to come. Raises UnansweredError when it does not begin in time."""
        try:
            async with asyncio.timeout(self._limits.attempt_s):
                return await self._client.send(request, stream=True)
        except TimeoutError as error:
            raise _unanswered(call, error) from error

    async def _call(
        self, method: str, path: str, query: Mapping[str, str | int], body: Object | None = None, kind: str = JSON
    ) -> Object:
        """The answer, within the call's time. Raises CallError."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limits.deadline_s
        attempt, before = 0, ""
        try:
            async with asyncio.timeout_at(end):
                while True:
                    attempt += 1
                    try:
                        async with self._free:
                            return await self._attempt(method, path, query, body, kind)
                    except _Again as again:
                        error = again.error
                    pause = pause_s(attempt, self._draw(), error.asked_s)
                    if loop.time() + pause >= end:
                        raise error
                    before = f"; before that, {error.message}"
                    await self._sleep(pause)
        except TimeoutError:
            message = f"{method} {path} has no answer within {self._limits.deadline_s:g} s{before}"
            raise UnansweredError(message, CHECK_NETWORK) from None

    async def _attempt(
        self, method: str, path: str, query: Mapping[str, str | int], body: Object | None, kind: str
    ) -> Object:
        """The answer. Raises _Again when the same call may fare better later."""
        call = f"{method} {path}"
        content = None if body is None else msgspec.json.encode(body)
        headers = {"accept": JSON} if content is None else {"accept": JSON, "content-type": kind}
        status = UNANSWERED
        try:
            async with (
                asyncio.timeout(self._limits.attempt_s),
                self._client.stream(method, path, params=query, content=content, headers=headers) as response,
            ):
                answer = await self._body(call, response)
                status = response.status_code
        except (TimeoutError, httpx.HTTPError) as error:
            raise _Again(_unanswered(call, error)) from error
        finally:
            self.answered[method, status] += 1
        if response.is_success:
            return _object(call, answer)
        no = _refused(call, response, answer)
        if _may_fare_better(no, body or {}):
            raise _Again(no)
        raise no

    async def _lines(self, call: str, response: httpx.Response) -> AsyncGenerator[Object]:
        pending = bytearray()
        async for chunk in response.aiter_bytes():
            pending += chunk
            if b"\n" in chunk:
                *whole, pending = pending.split(b"\n")
                for line in whole:
                    yield _object(call, line)
            if len(pending) > self._limits.max_bytes:
                raise _too_large(call, self._limits.max_bytes)

    async def _body(self, call: str, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._limits.max_bytes:
                raise _too_large(call, self._limits.max_bytes)
        return bytes(body)


class _Again(Exception):  # noqa: N818 - not an error yet
    """The same call may fare better later; `error` is raised where there is no time left."""

    def __init__(self, error: RefusedError | UnansweredError) -> None:
        super().__init__(str(error))
        self.error = error


def _may_fare_better(error: RefusedError, body: Object) -> bool:
    """Of a refusal, whether the same call may be taken later without anything being read anew.

    A conflict about nobody's fields is one of two writes at once, unless the call was about one version. An eviction
    that a disruption budget is against is answered with 429 too, and whoever evicts has to know.
    """
    if isinstance(error, ConflictError):
        is_conditional = "preconditions" in body or "resourceVersion" in body.get("metadata", {})
        return error.reason == "Conflict" and not error.is_because_of(FIELD_MANAGER) and not is_conditional
    return isinstance(error, BusyError) and not error.is_because_of(DISRUPTION_BUDGET)


def owners(error: ConflictError) -> tuple[str, ...]:
    """What is said of each field that others own: who, and which; empty for other conflicts."""
    return tuple(
        f"{each.get('field', '')}: {each.get('message', '')}"
        for each in error.causes
        if each.get("reason") == FIELD_MANAGER
    )


def _refused(call: str, response: httpx.Response, body: bytes) -> RefusedError:
    asked = asked_s(response.headers.get("retry-after"), datetime.now(UTC))
    return refused(call, response.status_code, _parsed(body), asked)


def _parsed(body: bytes | bytearray) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body.decode(errors="replace")


def _object(call: str, body: bytes | bytearray) -> Object:
    answer = _parsed(body)
    if not isinstance(answer, dict):
        raise UnansweredError(f"{call} is answered with what is no object", CHECK_NETWORK)
    return answer


def _unanswered(call: str, error: Exception) -> UnansweredError:
    said = " ".join(str(error).split()) or type(error).__name__
    return UnansweredError(f"{call} has no answer ({said})", CHECK_NETWORK)


def _too_large(call: str, most: int) -> UnansweredError:
    return UnansweredError(f"{call} is answered with more than {most} bytes", "ask for less at once")
