"""Waiting for a real part to show what was asked of it. The caller bounds the time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

LOOK_S: Final = 0.1


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return once `holds` does, looking ten times a second."""
    while True:
        if await holds():
            return
        await asyncio.sleep(LOOK_S)
