"""One HTTP exchange with a source, bounded in time and in bytes."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import httpx

MIB: Final = 1024 * 1024


class Trouble(StrEnum):
    """What is wrong with a source; `collectors.catalogue` has a finding for each."""

    AWAY = "away"
    SLOW = "slow"
    LARGE = "large"
    REFUSED = "refused"
    GARBLED = "garbled"


class SourceError(Exception):
    """A source could not be read. The message ends with what to do next; the cause is chained."""

    def __init__(self, trouble: Trouble, message: str, hint: str) -> None:
        super().__init__(f"{message} ({hint})")
        self.trouble = trouble
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Limits:
    """What one exchange may take: `total` from connecting to the last byte, and the bytes of the answer's body."""

    total: timedelta = timedelta(seconds=2)
    max_bytes: int = 4 * MIB


async def fetch(client: httpx.AsyncClient, method: str, url: str, limits: Limits) -> bytes:
    """The body of a 200 answer.

    Raises:
        SourceError: AWAY, SLOW, LARGE, or REFUSED for any other status. A compressed answer is GARBLED: it was not
            asked for, and how far it inflates is not known before it has.
    """
    try:
        async with asyncio.timeout(limits.total.total_seconds()):
            return await _exchange(client, method, url, limits)
    except (TimeoutError, httpx.TimeoutException) as error:
        seconds = limits.total.total_seconds()
        hint = "see whether its host is overloaded, or give the collector more time"
        raise SourceError(Trouble.SLOW, f"{url} did not answer in full within {seconds:g} s", hint) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        hint = "check that the process runs and that the address is right"
        raise SourceError(Trouble.AWAY, f"{url} cannot be reached: {error or type(error).__name__}", hint) from error


async def _exchange(client: httpx.AsyncClient, method: str, url: str, limits: Limits) -> bytes:
    headers = {"accept-encoding": "identity"}
    async with client.stream(method, url, headers=headers, follow_redirects=False) as response:
        if response.status_code != httpx.codes.OK:
            hint = "check that the address is that of the right process and port"
            raise SourceError(Trouble.REFUSED, f"{url} answered with status {response.status_code}", hint)
        if response.headers.get("content-encoding", "identity") != "identity":
            hint = "turn compression off for this address"
            raise SourceError(Trouble.GARBLED, f"{url} answered compressed", hint)
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > limits.max_bytes:
                hint = "expose fewer series there, or raise the collector's byte limit"
                raise SourceError(Trouble.LARGE, f"{url} answers with more than {limits.max_bytes} bytes", hint)
        return bytes(body)
