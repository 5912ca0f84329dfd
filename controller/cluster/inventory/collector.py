"""What a cluster has for servers, as a collector: informers follow it, and a turn takes what they know."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import Inventory, InventoryNode, Reading, Snapshot
from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.store import Name
from controller.cluster.api_server.watching import Informer, following, objects_now
from controller.cluster.inventory.catalogue import closed, other_number, undeclared, unfollowed
from controller.cluster.inventory.seen import WATCHED_NODES, WATCHED_PODS, WATCHED_QUOTAS
from controller.cluster.inventory.usable import Seen, strangers, usable
from policy.findings import Finding
from policy.resolved import Pool

SOURCE: Final = "kubernetes"
START_S: Final = 600


async def inventory_now(calls: Calls, pools: Sequence[Pool], now: datetime) -> tuple[Inventory, ...]:
    """The nodes of each pool as a cluster has them now, whatever is against them. Raises CallError."""
    nodes, _ = await objects_now(calls, WATCHED_NODES)
    found = usable(pools, Seen(nodes, {}, {}))
    return tuple(Inventory(pool.name, Reading(found[pool.name], now, SOURCE)) for pool in pools)


class ClusterInventory:
    """Follows a cluster while `running` runs. `pools` are those of the policy in force.

    `devices` has the resource of each device that pools have, none for a CPU; nothing is asked of others. `changed` is
    called for each change of what is followed. A server that has not been ready for `start_s` closes its node.
    """

    name = "kubernetes"

    def __init__(
        self,
        calls: Calls,
        pools: Callable[[], Sequence[Pool]],
        devices: Mapping[str, str | None],
        clock: Callable[[], datetime],
        changed: Callable[[], None] = lambda: None,
        *,
        start_s: int = START_S,
    ) -> None:
        self._pools = pools
        self._start = timedelta(seconds=start_s)
        self._devices = devices
        self._nodes = Informer(calls, WATCHED_NODES, clock, changed)
        self._pods = Informer(calls, WATCHED_PODS, clock, changed)
        self._quotas = Informer(calls, WATCHED_QUOTAS, clock, changed)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Follow the cluster while the block runs, which begins once all was listed."""
        async with following(self._nodes, self._pods, self._quotas):
            for each in (self._nodes, self._pods, self._quotas):
                await each.listed()
            yield

    def made(self, node: str) -> datetime | None:
        """When a node of a pool joined; None where there is none of that name."""
        seen = self._nodes.objects.get(Name("", node))
        return seen.made if seen else None

    async def collect(self, now: datetime) -> Snapshot:
        """The nodes of each pool, as they were last seen."""
        pools = self._pools()
        seen = Seen(self._nodes.objects, self._pods.objects, self._quotas.objects, self._devices, now - self._start)
        nodes, as_of = usable(pools, seen), self._nodes.as_of()
        inventory = tuple(
            Inventory(pool.name, Reading(nodes[pool.name] if as_of else None, as_of, SOURCE)) for pool in pools
        )
        found = tuple(self._told(pools, nodes)) if as_of else ()
        return Snapshot(now, inventory=inventory, findings=(*self._untold(), *found))

    def _told(self, pools: Sequence[Pool], nodes: Mapping[str, tuple[InventoryNode, ...]]) -> Iterator[Finding]:
        for pool in pools:
            here = nodes[pool.name]
            if len(here) != pool.nodes:
                yield other_number(pool, len(here))
            against = [node for node in here if node.against or not node.is_ready]
            if against:
                yield closed(pool, against)
        yield from (undeclared(*each) for each in strangers(pools, self._nodes.objects).items())

    def _untold(self) -> Iterator[Finding]:
        for what, informer in (("nodes", self._nodes), ("pods", self._pods), ("quotas", self._quotas)):
            if informer.trouble:
                yield unfollowed(what, informer.trouble)
