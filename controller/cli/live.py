"""Looking at a fleet, and acting on it, for the length of one command."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from collectors.collector import Collector
from collectors.evidence.files import EvidenceFiles
from collectors.gateway import Gateways, GatewayTarget, arriving
from collectors.snapshot import Snapshot
from collectors.transport import ServersClient
from collectors.triton_repository import RepositoryTarget, TritonRepository
from controller.acting.actuator import ActuatorError, UnreadError
from controller.acting.envoy import EnvoyActuator
from controller.acting.triton import TritonActuator, servers_of
from controller.cli.errors import CliError, in_two
from controller.cli.terminal import working
from controller.connections.connections import Connections
from controller.connections.reading import ConnectionsError, read_connections
from controller.decision import State
from controller.fleet import Fleet, Load
from controller.journal.errors import JournalError
from controller.loop.at_work import Hands
from controller.loop.followed import with_routes
from controller.loop.observing import observe
from controller.loop.resuming import resumed
from controller.loop.turn_policy import TurnPolicy
from controller.planning.running import observed
from policy.cluster.resources import PREFIX
from policy.resolved import Policy
from policy.source import EVIDENCE, load_documents

WATCH_S: Final = 5.0
"""A rate takes two looks at a counter; this long between them."""
DEADLINE_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class Live:
    """The real parts of a fleet. `arrivals` wants to have been asked `WATCH_S` before its rates count."""

    servers: Collector
    arrivals: Collector
    evidence: Collector
    gateways: EnvoyActuator
    hands: Hands

    @property
    def collectors(self) -> tuple[Collector, ...]:
        """All that can be read in a short time."""
        return (self.servers, self.arrivals, self.evidence)


def within(path: str, connections: Connections) -> Connections:
    """The connections with their cluster in the context that the policy names. Raises CliError without a cluster."""
    if connections.cluster is None:
        raise CliError(f"{path} is a cluster, and the connections name none", "add `cluster`: see docs/operations.md")
    if connections.cluster.custom_resources is not None:
        raise CliError(
            f"{path} is the custom resources, and the connections have them beside files",
            "leave `customResources` away there, or give the folder or the repository of the files",
        )
    context = path.removeprefix(PREFIX) or connections.cluster.context
    return connections.model_copy(update={"cluster": connections.cluster.model_copy(update={"context": context})})


def connections_at(path: Path) -> Connections:
    """The connections document. Raises CliError."""
    try:
        return read_connections(path)
    except ConnectionsError as error:
        raise in_two(error, "; ") from error


@asynccontextmanager
async def watched(in_force: TurnPolicy, connections: Connections) -> AsyncIterator[Live]:
    """The fleet's real parts, read by the policy in force, after arrivals were watched long enough to have a rate.

    Raises CliError where the parts are a cluster's.
    """
    if connections.cluster is not None:
        raise CliError(
            "the connections name a cluster, where only the replica that leads acts",
            "have `gridwright run` do it, and ask its API what it would do",
        )
    async with ServersClient() as client:
        servers = servers_of(connections)
        gateways = EnvoyActuator(client, connections.gateways)
        live = Live(
            TritonRepository(
                client, [RepositoryTarget(pool, server.http, node) for (pool, node), server in servers.items()]
            ),
            Gateways(
                client,
                [GatewayTarget(f"http://{item.admin}", tuple(item.origins)) for item in connections.gateways],
                lambda: arriving(in_force.services()),
            ),
            EvidenceFiles(in_force.folder / EVIDENCE, in_force.issuers),
            gateways,
            Hands((TritonActuator(client, servers), gateways)),
        )
        await observe((live.arrivals,), now(), DEADLINE_S)
        with working(f"Watching what arrives for {WATCH_S:g} s"):
            await asyncio.sleep(WATCH_S)
        yield live


async def look(live: Live, policy: Policy, journal: Path) -> tuple[Snapshot, State, datetime]:
    """What runs and what arrives, what the journal remembers of it where there is one, and when that was.

    Raises CliError.
    """
    at = now()
    snapshot, _ = await observe(live.collectors, at, DEADLINE_S)
    try:
        routes = await live.gateways.routes()
    except UnreadError as error:
        if error.origins:
            raise CliError(str(error), "see whether the gateways of the connections document run") from error
        routes = error.read
    except ActuatorError as error:
        raise CliError(str(error), "see whether the gateways of the connections document run") from error
    return snapshot, with_routes(_remembered(journal), routes, policy), at


def _remembered(journal: Path) -> State:
    if not journal.exists():
        return State()
    try:
        return resumed(journal, load_documents).state
    except JournalError as error:
        raise in_two(error, ": ") from error


def running_fleet(policy: Policy, snapshot: Snapshot, state: State, at: datetime) -> Fleet:
    """What the servers hold and the gateways follow."""
    loads = (
        Load(placement, model.instances, model.max_batch, model.queue_delay_us, node)
        for (placement, node), model in sorted(observed(policy, snapshot, at).items())
    )
    return Fleet(tuple(loads), state.fleet.routes)


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)
