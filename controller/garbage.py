"""When Python looks for circular garbage: once a minute, and not among what was there by the first time."""

import asyncio
import gc
import logging
from typing import Final

from policy.uncollected import uncollected

LOG: Final = logging.getLogger("gridwright.garbage")
EVERY_S: Final = 60.0


async def seldom_collected() -> None:
    """Collect circular garbage at an interval, instead of whenever there is much new; until cancelled.

    Python looks through all that lives once a quarter has come to it. A turn makes as much when there are thousands of
    servers, nearly all of it without circles, and looking took a fifth of a decision. What is circular waits a minute.
    What is there by the first time stays for good, mostly: it is never looked through again.
    """
    with uncollected():
        await asyncio.sleep(EVERY_S)
        gc.collect()
        gc.freeze()
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                LOG.debug("%d objects were circular garbage", gc.collect())
        finally:
            gc.unfreeze()
