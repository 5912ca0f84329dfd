"""A cluster as the controller works with it: who leads, what is read, and what is written only by the leader."""

import asyncio
import logging
import socket
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx

from controller.acting.actuator import Actuator
from controller.acting.triton import TritonServer
from controller.background import in_background
from controller.cluster.api_server.calls import Calls, Limits
from controller.cluster.api_server.errors import CallError
from controller.cluster.api_server.reaching import client
from controller.cluster.api_server.resources import Resource
from controller.cluster.api_server.store import Name
from controller.cluster.api_server.watching import Informer, following
from controller.cluster.custom_resources.policies import ClusterPolicy
from controller.cluster.custom_resources.reporting import StatusReporter
from controller.cluster.inventory.collector import ClusterInventory
from controller.cluster.leading.fencing import Account, account_of, fence
from controller.cluster.leading.leader import Leadership
from controller.cluster.leading.lease import Timing
from controller.cluster.leading.led import LedActuator
from controller.cluster.leading.marking import Mark, Pod
from controller.cluster.routes.routing import RoutesActuator
from controller.cluster.routes.upkeep import RoutedUpkeep
from controller.cluster.servers.applying import Applier
from controller.cluster.servers.door import Door
from controller.cluster.servers.pods import WATCHED_SERVERS, ServerAddresses, ServerPod, on_machines
from controller.cluster.servers.serving import ServersActuator, reached
from controller.cluster.servers.standing import GRANTS, KINDS
from controller.cluster.servers.upkeep import ClusterUpkeep
from controller.connections.cluster import ClusterConnection
from policy.resolved import Pool

LOG: Final = logging.getLogger("gridwright.cluster")
REVIEWS: Final = Resource("authentication.k8s.io/v1", "selfsubjectreviews")
TELL_S: Final = 30.0
"""How often a standby says what it waits for."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that can be reached. `reads` has no part in who leads; `writes` are refused to whoever does not.

    `mark` is on the leader's pod, once what is asked of it is served.
    """

    connection: ClusterConnection
    leadership: Leadership
    mark: Mark
    reads: Calls
    writes: Calls

    def answered(self) -> Counter[tuple[str, int]]:
        """How often its API server was asked, by verb and status, but for who leads."""
        return self.reads.answered + self.writes.answered

    async def led(self) -> None:
        """Wait until this replica leads, and say from time to time what it waits for."""
        while True:
            try:
                async with asyncio.timeout(TELL_S):
                    await self.leadership.led()
                    return
            except TimeoutError:
                LOG.info("waiting to lead: %s", self.leadership.trouble or "another replica does")

    async def deposed(self) -> None:
        """Wait until this replica leads no more."""
        await self.leadership.deposed()


@asynccontextmanager
async def joined(
    connection: ClusterConnection, kubeconfig: str | None = None, pod: Pod | None = None
) -> AsyncIterator[Cluster]:
    """Reach a cluster and take part in who leads while the block runs; `pod` is the one that this process runs in.

    Raises CallError when it cannot be reached.
    """
    async with (
        client(connection.context, kubeconfig) as plain,
        client(connection.context, kubeconfig) as writing,
    ):
        reads = Calls(plain)
        mark = Mark(reads, pod)
        account, timing = await _account(reads), Timing()
        await mark.take_off()
        patience = Limits(deadline_s=timing.call_s, attempt_s=timing.call_s)
        leadership = Leadership(Calls(plain, patience), _me(), timing)
        fence(writing, leadership, account)
        async with in_background(leadership.run()):
            yield Cluster(connection, leadership, mark, reads, Calls(writing))


@dataclass(frozen=True, slots=True)
class ClusterFleet:
    """The servers of a cluster: what tells of them, where they answer, and what has them made and removed.

    `routes` sets routes at the cluster's own Gateways, where the connections name any.
    """

    cluster: Cluster
    inventory: ClusterInventory
    servers: ServerAddresses
    actuator: Actuator
    upkeep: ClusterUpkeep | RoutedUpkeep
    routes: RoutesActuator | None = None

    @property
    def trace_rate(self) -> int:
        """Of so many requests, servers trace one."""
        traces = self.cluster.connection.servers.traces
        return traces.rate if traces else 1

    def led_by_us(self, actuator: Actuator) -> Actuator:
        """The actuator, which acts only while this replica leads."""
        return LedActuator(actuator, self.cluster.leadership)


@dataclass(frozen=True, slots=True)
class Followed:
    """What a cluster is followed for: `pools` of the policy in force, but for those with servers `elsewhere`.

    `nudge` is called for each change; `reach` tells by a pod's IP where its server answers.
    """

    pools: Callable[[], Sequence[Pool]]
    elsewhere: Collection[str]
    nudge: Callable[[], None]
    clock: Callable[[], datetime]
    reach: Callable[[str], TritonServer] = reached

    def here(self) -> tuple[Pool, ...]:
        """The pools that have their servers in the cluster."""
        return tuple(pool for pool in self.pools() if pool.name not in self.elsewhere)


@asynccontextmanager
async def fleet_in(cluster: Cluster, to_servers: httpx.AsyncClient, followed: Followed) -> AsyncIterator[ClusterFleet]:
    """Follow the nodes and pods of a cluster while the block runs, which begins once all were listed.

    `to_servers` calls the servers.
    """
    settings = cluster.connection.servers
    reach, clock = followed.reach, followed.clock
    inventory = ClusterInventory(
        cluster.reads, followed.here, settings.devices, clock, followed.nudge, start_s=settings.start_s
    )
    pods = Informer(cluster.reads, WATCHED_SERVERS, clock, followed.nudge)
    async with inventory.running(), following(pods):
        await pods.listed()
        gateways = cluster.connection.gateways
        applier = Applier(cluster.writes, {**KINDS, **GRANTS} if gateways else KINDS)
        elsewhere, routed = followed.elsewhere, bool(gateways)
        actuator = ServersActuator(
            cluster.writes,
            to_servers,
            settings,
            applier,
            elsewhere=elsewhere,
            routed=routed,
            reach=reach,
            made=inventory.made,
        )

        def servers() -> Mapping[Name, ServerPod]:
            return on_machines(pods.objects, inventory.made)

        upkeep = ClusterUpkeep(applier, Door(cluster.writes), settings, followed.here, servers, routed=routed)
        routes = RoutesActuator(cluster.writes, gateways, elsewhere=elsewhere) if gateways else None
        yield ClusterFleet(
            cluster,
            inventory,
            ServerAddresses(servers, settings.start_s, reach, clock),
            LedActuator(actuator, cluster.leadership),
            RoutedUpkeep(upkeep, routes) if routes else upkeep,
            routes,
        )


@asynccontextmanager
async def policy_in(
    cluster: Cluster, environment: str, nudge: Callable[[], None], clock: Callable[[], datetime]
) -> AsyncIterator[tuple[ClusterPolicy, StatusReporter]]:
    """Follow the policy that a cluster's custom resources are, and tell them what turns make of it, in the block."""
    policy = ClusterPolicy(cluster.reads, clock, nudge, environment)
    reporter = StatusReporter(cluster.writes, policy, socket.gethostname(), clock)
    async with policy.running(), in_background(reporter.run()):
        yield policy, reporter


async def _account(calls: Calls) -> Account:
    """As whom the API server knows this controller."""
    review = {"apiVersion": REVIEWS.version, "kind": "SelfSubjectReview"}
    account = account_of(await calls.create(REVIEWS.path(), review))
    if not account.user:
        raise CallError("the API server does not tell who this controller is", "use Kubernetes 1.34 or later")
    return account


def _me() -> str:
    """A name that no other process ever has."""
    return f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
