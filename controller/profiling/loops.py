"""A closed and an open loop of requests, in one asyncio program.

It costs about 1 ms of CPU a request and is late by as much, which is why rates are kept low where it is used.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import numpy as np

WARM_UP: Final = 3
"""Requests of each client that do not count: the first executions of a shape are slow on most backends."""
LOOK_EVERY: Final = 10
MOST_OPEN: Final = 512
"""Requests under way at once; more than this says that the server does not keep up."""

Send = Callable[[], Awaitable[bool]]
"""One request; whether it was answered."""


async def closed_loop(
    send: Send, clients: int, done: Callable[[Sequence[float]], bool], seconds: float
) -> tuple[list[float], int]:
    """Latencies in us in the order of the answers, and how many requests failed."""
    clock = asyncio.get_running_loop()
    end_s = clock.time() + seconds
    latencies_us: list[float] = []
    failed = 0

    async def client() -> None:
        nonlocal failed
        while clock.time() < end_s and not (len(latencies_us) % LOOK_EVERY == 0 and done(latencies_us)):
            began_s = clock.time()
            if await send():
                latencies_us.append(1e6 * (clock.time() - began_s))
            else:
                failed += 1

    await asyncio.gather(*(client() for _ in range(clients)))
    return latencies_us, failed


async def warm_up(send: Send, clients: int) -> None:
    """A few requests of each client at once."""
    for _ in range(WARM_UP):
        await asyncio.gather(*(send() for _ in range(clients)))


async def open_loop(send: Send, due_s: Sequence[float]) -> tuple[list[float], int, float]:
    """Latencies in us from the intended moments, in their order; failures; and the 99th percentile of lateness in us.

    A request that would be more than `MOST_OPEN` under way fails unsent.
    """
    clock = asyncio.get_running_loop()
    start_s = clock.time()
    late_us = np.zeros(len(due_s))
    answered_us = np.full(len(due_s), np.nan)

    async def one(number: int) -> None:
        if await send():
            answered_us[number] = 1e6 * (clock.time() - start_s - due_s[number])

    under_way: set[asyncio.Task[None]] = set()
    for number, at_s in enumerate(due_s):
        await asyncio.sleep(max(0.0, start_s + at_s - clock.time()))
        late_us[number] = 1e6 * (clock.time() - start_s - at_s)
        if len(under_way) < MOST_OPEN:
            task = asyncio.create_task(one(number))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    answered = answered_us[~np.isnan(answered_us)]
    return answered.tolist(), int(np.isnan(answered_us).sum()), float(np.percentile(late_us, 99))
