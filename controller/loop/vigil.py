"""Watching between turns whether servers answer at all, so that the next turn need not be waited for."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import httpx

from controller.connections import ServerKey

LOOK_S: Final = 0.3
ANSWER_WITHIN_S: Final = 1.0


async def keep_vigil(
    client: httpx.AsyncClient, servers: Callable[[], Mapping[ServerKey, str]], nudge: Callable[[], None]
) -> None:
    """Nudge the loop whenever a server's liveness changes; `servers` gives their base addresses. Runs until cancelled.

    It only wakes the loop: what a silent server means is decided there, by readings.
    """
    seen: dict[ServerKey, bool] = {}
    while True:
        looked = servers()
        alive = await asyncio.gather(*(_answers(client, url) for url in looked.values()))
        now = dict(zip(looked, alive, strict=True))
        if seen and now != seen:
            nudge()
        seen = now
        await asyncio.sleep(LOOK_S)


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
