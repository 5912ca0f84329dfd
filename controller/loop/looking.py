"""Looking at a policy's repository beside the loop, which must not wait for a network."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from policy.git.address import Address
from policy.git.following import Following

LOG: Final = logging.getLogger("gridwright.git")
LOOK_S: Final = 30.0
"""From the end of one look to the next."""


def store_beside(journal: Path, address: Address) -> Path:
    """Where what is kept of a repository stands, so that a controller that starts anew goes on from there."""
    digest = sha256(f"{address.url}@{address.ref}:{address.folder}".encode()).hexdigest()
    return journal.with_name(f"{journal.name}.git") / digest[:16]


@asynccontextmanager
async def looking(following: Following) -> AsyncIterator[None]:
    """Look once before the block begins, and again and again while it runs; a look under way at its end is ended."""
    try:
        await asyncio.to_thread(following.look)
        task = asyncio.create_task(_again_and_again(following))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    finally:
        following.stop()


async def _again_and_again(following: Following) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            await asyncio.to_thread(following.look)
        except Exception:
            LOG.exception("looking at the policy's repository failed; it is looked at again in %g s", LOOK_S)
