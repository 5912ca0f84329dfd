"""The agent in this process: its signals and its log."""

import asyncio
import logging
import signal
import sys
from contextlib import suppress

from controller.sites.agent.assembly import Places, agent_of


async def run_until_told(places: Places) -> None:
    """Run until a signal comes: what an action has begun the next start finds as it is. Raises AgentError."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    async with agent_of(places) as agent:
        working = asyncio.create_task(agent.run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, working.cancel)
        with suppress(asyncio.CancelledError):
            await working
