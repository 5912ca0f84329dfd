"""What a cluster needs beside actions, once a turn's are done: servers as wanted, and none that nothing uses."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import Presence, Snapshot
from controller.admission.servers import Uses, on_the_way, standing, uses
from controller.cluster.api_server.errors import CallError
from controller.cluster.api_server.store import Name
from controller.cluster.servers.applying import Applier, side_by_side
from controller.cluster.servers.catalogue import refused
from controller.cluster.servers.door import Door
from controller.cluster.servers.pods import ServerPod, late_servers
from controller.cluster.servers.settings import ServerSettings
from controller.cluster.servers.workloads import workloads
from controller.connections.servers import ServerKey
from controller.decision import Decision
from controller.fleet import Fleet
from policy.findings import Finding, Level
from policy.resolved import Policy, Pool

SERVERS: Final = "servers"
CLEAR_S: Final = 5.0
"""How long what comes before actions may hold them up."""
KEEP_S: Final = 30.0
"""How long keeping may hold up the next turn."""
AGAIN: Final = timedelta(seconds=60)
"""Where nothing else is wanted and nothing was in the way, what others did to the objects is looked for so often."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was asked of the cluster at an instant at which nothing was in the way, and what there was to tell."""

    pools: Sequence[Pool]
    used: Mapping[str, set[str]]
    removes: bool
    at: datetime
    told: tuple[Finding, ...]

    def still(self, other: "Kept") -> bool:
        """Whether another one, later, asks for the same, and so soon that it need not be looked at again."""
        same = (self.pools, self.used, self.removes) == (other.pools, other.used, other.removes)
        return same and timedelta() <= other.at - self.at < AGAIN


class ClusterUpkeep:
    """Keeps the objects of the pools that a cluster has, and tells of servers that are not ready in time.

    `pods` are those of the servers. A server that does not answer may hold something, and may be back soon: it stays
    for `start_s` of the settings. `routed`: routes of the Gateway API lead to servers.
    """

    def __init__(
        self,
        applier: Applier,
        door: Door,
        settings: ServerSettings,
        pools: Callable[[], Sequence[Pool]],
        pods: Callable[[], Mapping[Name, ServerPod]],
        *,
        routed: bool = False,
    ) -> None:
        self._applier = applier
        self._door = door
        self._settings = settings
        self._pools = pools
        self._pods = pods
        self._routed = routed
        self._silent: dict[ServerKey, datetime] = {}
        self._kept: Kept | None = None

    async def prepare(
        self, policy: Policy, snapshot: Snapshot, running: Fleet, decision: Decision
    ) -> tuple[Finding, ...]:
        """Have servers admitted where they stand or are to stand, as far as that is allowed now, and nowhere else.

        And have those gone whose machine is.
        """
        stands = standing(snapshot, running.routes, policy)
        wanted = uses((decision.fleet, on_the_way(decision.transition)), policy)
        return (*await self._admitted(policy, snapshot, (stands, wanted)), *await self._cleared())

    async def _admitted(self, policy: Policy, snapshot: Snapshot, used: Iterable[Uses]) -> tuple[Finding, ...]:
        """Keep the door, once nodes are seen: by the documents' names it would shut all servers out."""
        unseen = bool(self._pools()) and not snapshot.inventory
        return () if unseen else await self._door.keep(policy, snapshot, used)

    async def _cleared(self) -> tuple[Finding, ...]:
        """Have the pods go that came to machines which are replaced: Kubernetes makes others, on those of now."""
        gone = [pod for pod in self._pods().values() if pod.is_of_before and not pod.ends]
        try:
            async with asyncio.timeout(CLEAR_S):
                met = await side_by_side(gone, lambda pod: self._applier.restart(pod.pool, pod.node))
        except TimeoutError:
            return (refused(SERVERS, f"not all was evicted within {CLEAR_S:g} s; the next turn goes on"),)
        return tuple(finding for finding in met if finding)

    async def keep(
        self, policy: Policy, planned: Fleet, snapshot: Snapshot, *, is_reached: bool
    ) -> tuple[Finding, ...]:
        """Apply what the plan's servers need, and where the plan is reached remove those that nothing uses."""
        shut = await self._admitted(policy, snapshot, (uses((planned,), policy),)) if is_reached else ()
        return (*shut, *await self._applied(planned, snapshot, is_reached=is_reached))

    async def _applied(self, planned: Fleet, snapshot: Snapshot, *, is_reached: bool) -> tuple[Finding, ...]:
        self._silent = silent(self._silent, snapshot)
        gone = snapshot.at - timedelta(seconds=self._settings.start_s)
        waited_for = {server for server, since in self._silent.items() if since > gone}
        used = in_use(planned, snapshot, waited_for)
        is_known = all(item.reading.value is not None for item in snapshot.inventory)
        asked = Kept(self._pools(), used, is_reached and is_known, snapshot.at, ())
        late = late_servers(self._pods(), self._settings.start_s, snapshot.at)
        if self._kept is not None and self._kept.still(asked):
            return (*self._kept.told, *late)
        self._kept = None
        wanted = workloads(asked.pools, used, self._settings, routed=self._routed)
        told = (*wanted.findings, *late)
        try:
            async with asyncio.timeout(KEEP_S):
                done = await self._applier.apply(wanted.manifests, removes=asked.removes)
        except CallError as error:
            return (*told, refused(SERVERS, str(error)))
        except TimeoutError:
            return (*told, refused(SERVERS, f"not all was written within {KEEP_S:g} s; the next turn goes on"))
        if all(each.level is Level.INFO for each in done.findings):
            self._kept = replace(asked, told=(*wanted.findings, *done.findings))
        return (*told, *done.findings)


def silent(before: Mapping[ServerKey, datetime], snapshot: Snapshot) -> dict[ServerKey, datetime]:
    """The servers that do not answer, each with since when; from now on where the clock was set back."""
    now = ((server.pool, server.node) for server in snapshot.servers if server.reading.value is None)
    return {server: min(before.get(server, snapshot.at), snapshot.at) for server in now}


def in_use(planned: Fleet, snapshot: Snapshot, waited_for: Collection[ServerKey]) -> dict[str, set[str]]:
    """By pool the nodes that are planned with, and the others whose servers stay.

    On nodes that something may be placed on, a server stays while it holds something, is waited for, or was not looked
    at. On one that is cut off it stays, for nothing could end it there; on all others it goes.
    """
    held = {
        (each.pool, each.node) for each in snapshot.servers if each.reading.value and not each.reading.value.is_empty
    }
    told = {(server.pool, server.node) for server in snapshot.servers}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for load in planned.loads:
        found[load.placement.pool].add(load.node)
    for item in snapshot.inventory:
        for node in item.reading.value or ():
            key = item.pool, node.name
            is_unknown = node.server is Presence.READY and key not in told
            stays = not node.against and (key in held or key in waited_for or is_unknown)
            if stays or (not node.is_ready and node.server is not Presence.NONE):
                found[item.pool].add(node.name)
    return {pool: nodes - {""} for pool, nodes in found.items()}
