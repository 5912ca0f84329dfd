"""Standing by in a cluster, and leading: what a replica follows before it leads, so that it acts soon once it does."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from controller.acting.triton import TritonServer
from controller.api.standby import standing_by
from controller.cluster.joining import Cluster, ClusterFleet, Followed, fleet_in, joined, policy_in
from controller.connections.cluster import ClusterConnection
from controller.host_names import host_names
from controller.loop.runner import Watch
from controller.loop.turn_policy import TurnPolicy, in_no_folder
from controller.places import Places, now
from controller.serving import serving
from controller.sites.hub.joining import SiteFleet
from controller.wiring import elsewhere
from policy.resolved import Policy, Pool


class Ahead:
    """The loop, for what begins before it: woken once there is one, without a policy or sites until they are there."""

    def __init__(self) -> None:
        self.wakes: Callable[[], None] = lambda: None
        self.known: Callable[[], Policy | None] = lambda: None
        self.at_sites: SiteFleet | None = None

    def ring(self) -> None:
        """Have the next turn begin at once."""
        self.wakes()

    def pools(self) -> tuple[Pool, ...]:
        """The pools of the policy in force."""
        policy = self.known()
        return policy.pools if policy else ()


Read = tuple[TurnPolicy, Watch]
"""What reads the policy, and who is told of each turn."""


@dataclass(frozen=True, slots=True)
class Led:
    """A cluster in which this replica leads, its servers, and what reads the policy where that is in it."""

    cluster: Cluster
    fleet: ClusterFleet
    read: Read | None


@asynccontextmanager
async def leading(
    places: Places,
    connection: ClusterConnection,
    to_servers: httpx.AsyncClient,
    ahead: Ahead,
    reach: Callable[[str], TritonServer],
) -> AsyncIterator[Led]:
    """A cluster with its servers, and its policy where that is in it, once this replica leads.

    A standby follows all that already: thousands of nodes take a while to list, and a leader has to act soon.
    """
    names = host_names(places.connections.api)
    apart = elsewhere(places.connections, lambda: ahead.at_sites)
    followed = Followed(ahead.pools, apart, ahead.ring, now, reach)
    async with joined(connection, places.kubeconfig, places.pod) as cluster, contextlib.AsyncExitStack() as stack:
        async with serving(standing_by(cluster.leadership, names), places.connections.api):
            fleet = await stack.enter_async_context(fleet_in(cluster, to_servers, followed))
            read: Read | None = None
            if places.policy is None:
                in_cluster = policy_in(cluster, places.environment, ahead.ring, now)
                policy, reporter = await stack.enter_async_context(in_cluster)
                read = in_no_folder(policy.load, connection.evidence), reporter.observe
            await cluster.led()
        yield Led(cluster, fleet, read)
