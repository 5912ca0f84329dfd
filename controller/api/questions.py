"""Questions that take a core for seconds: one at a time, in a thread, within a limit."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from controller.api.problems import Problem

Answer = TypeVar("Answer")


async def answered(places: asyncio.Semaphore, limit_s: float, work: Callable[[], Answer]) -> Answer:
    """What `work` gives, done in a thread. One that takes too long keeps its place until it is done."""
    if places.locked():
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "busy",
            "Another question is being answered",
            "ask again in a few seconds",
            headers={"Retry-After": "5"},
        )
    await places.acquire()
    task = asyncio.create_task(asyncio.to_thread(work))
    task.add_done_callback(lambda _: places.release())
    try:
        return await asyncio.wait_for(asyncio.shield(task), limit_s)
    except TimeoutError as error:
        raise Problem(
            HTTPStatus.GATEWAY_TIMEOUT,
            "too-long",
            "The question takes too long",
            f"no answer within {limit_s:g} s; ask about fewer things at once",
        ) from error
