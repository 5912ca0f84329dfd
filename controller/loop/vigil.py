"""Watching between turns whether servers answer at all, so that the next turn need not be waited for."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

import httpx

from controller.connections.servers import ServerKey

LOOK_S: Final = 0.3
AT_ONCE: Final = 10
"""Servers that are looked at together, so that thirty are within a second; a look takes up to a ms of a processor."""
ANSWER_WITHIN_S: Final = 1.0


async def keep_vigil(
    client: httpx.AsyncClient,
    servers: Callable[[], Mapping[ServerKey, str]],
    changed: Callable[[frozenset[ServerKey]], None],
) -> None:
    """Tell of servers whose liveness changed; `servers` gives their base addresses. Runs until cancelled.

    It only wakes the loop: what a silent server means is decided there, by readings.
    """
    seen: dict[ServerKey, bool] = {}
    while True:
        looked = servers()
        seen = {key: is_alive for key, is_alive in seen.items() if key in looked}
        for some in batched(looked, AT_ONCE):
            alive = await asyncio.gather(*(_answers(client, looked[key]) for key in some))
            now = dict(zip(some, alive, strict=True))
            different = frozenset(key for key, is_alive in now.items() if seen.get(key, is_alive) is not is_alive)
            seen |= now
            if different:
                changed(different)
            await asyncio.sleep(LOOK_S)
        if not looked:
            await asyncio.sleep(LOOK_S)


def batched(keys: Iterable[ServerKey], at_once: int) -> Iterator[tuple[ServerKey, ...]]:
    """Them in their order, so many at a time."""
    left = iter(keys)
    while some := tuple(islice(left, at_once)):
        yield some


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    """Whether the server takes a connection and answers; a slow answer is an answer.

    Of a node without power nothing comes, not even a refusal: a connection is not taken in time.
    """
    try:
        await client.get(f"{url}/v2/health/live", timeout=ANSWER_WITHIN_S)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.RemoteProtocolError, httpx.ReadError):
        return False
    except httpx.HTTPError:
        return True
    return True
