"""A controller at work on the embedded fleet: started, watched, and judged by what the real parts say."""

import asyncio
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from controller.acting.envoy import EnvoyActuator
from controller.acting.waiting import until
from controller.assembly import Running, controller
from controller.connections.connections import Connections
from controller.connections.servers import NodeConnection
from controller.decision import Verdict
from controller.fleet import RouteSet
from controller.loop.status import Status
from controller.places import Places

EXAMPLE = Path(__file__).parents[2] / "examples" / "embedded"


def copied_policy(folder: Path) -> Path:
    """A copy of the example, with turns close together."""
    target = folder / "policy"
    shutil.copytree(EXAMPLE, target)
    for file in target.glob("*.yaml"):
        file.write_text(re.sub(r"interval: \d+s", "interval: 1s", file.read_text()))
    return target


@dataclass(frozen=True, slots=True)
class Watched:
    """A running controller, and waiting for what it is expected to come to."""

    running: Running

    @property
    def status(self) -> Status:
        return self.running.runner.status

    async def until(self, holds: Callable[[Status], bool], within_s: float = 60) -> Status:
        """The first status that holds; TimeoutError with what was seen instead."""
        try:
            async with asyncio.timeout(within_s):
                await until(self._holding(holds))
        except TimeoutError as error:
            told = "; ".join(map(str, self.status.findings))
            raise TimeoutError(
                f"turn {self.status.turns}, {self.status.decision and self.status.decision.verdict}: {told}"
            ) from error
        return self.status

    def _holding(self, holds: Callable[[Status], bool]) -> Callable[[], Awaitable[bool]]:
        async def check() -> bool:
            return holds(self.status)

        return check


@asynccontextmanager
async def at_work(places: Places) -> AsyncIterator[Watched]:
    """Run a controller while the block lasts."""
    async with controller(places) as running:
        yield Watched(running)


def settled(status: Status) -> bool:
    """Whether the last turn found everything as it should be."""
    return status.decision is not None and status.decision.verdict is Verdict.KEEP and not status.failed


async def held(connections: Connections, pool: str) -> dict[str, int]:
    """The instances of every model that a pool's servers hold, as they say themselves."""
    found = Counter[str]()
    for (name, _), server in connections.by_node().items():
        found.update(await held_by(server) if name == pool else {})
    return dict(found)


async def held_by(server: NodeConnection) -> dict[str, int]:
    """The instances of every model that a server holds, as it says itself."""
    base = f"http://{server.http}/v2"
    found = {}
    async with httpx.AsyncClient(trust_env=False) as client:
        index = (await client.post(f"{base}/repository/index")).json()
        for name in (item["name"] for item in index if item.get("state") == "READY"):
            config = (await client.get(f"{base}/models/{name}/config")).json()
            found[name] = sum(group["count"] for group in config["instance_group"])
    return found


async def followed(connections: Connections) -> tuple[RouteSet, ...]:
    """The routes that the gateway follows, as it says itself."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return await EnvoyActuator(client, connections.gateways).routes()
