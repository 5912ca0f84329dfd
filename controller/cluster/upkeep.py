"""What a cluster needs beside actions, once a turn's are done: servers as wanted, and none that nothing uses."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import ModelState, Snapshot
from controller.cluster.applying import Applier
from controller.cluster.errors import CallError
from controller.cluster.server_pods import ServerPod, late_servers
from controller.cluster.server_settings import ServerSettings
from controller.cluster.servers_catalogue import refused
from controller.cluster.store import Name
from controller.cluster.workloads import workloads
from controller.connections import ServerKey
from controller.fleet import Fleet
from policy.findings import Finding
from policy.resolved import Pool

SERVERS: Final = "servers"


class ClusterUpkeep:
    """Keeps the objects of the pools that a cluster has, and tells of servers that are not ready in time.

    `owners` has by pool the uid of its custom resource, `pods` are those of the servers. A server that does not answer
    may hold something, and may be back soon: it stays for `start_s` of the settings.
    """

    def __init__(
        self,
        applier: Applier,
        settings: ServerSettings,
        pools: Callable[[], Sequence[Pool]],
        owners: Callable[[], Mapping[str, str]],
        pods: Callable[[], Mapping[Name, ServerPod]],
    ) -> None:
        self._applier = applier
        self._settings = settings
        self._pools = pools
        self._owners = owners
        self._pods = pods
        self._silent: dict[ServerKey, datetime] = {}

    async def keep(self, planned: Fleet, snapshot: Snapshot) -> tuple[Finding, ...]:
        """Apply what the plan's servers need, and remove those that neither hold anything nor are planned with."""
        self._silent = silent(self._silent, snapshot)
        gone = snapshot.at - timedelta(seconds=self._settings.start_s)
        waited_for = {server for server, since in self._silent.items() if since > gone}
        wanted = workloads(self._pools(), in_use(planned, snapshot, waited_for), self._settings, self._owners())
        told = (*wanted.findings, *late_servers(self._pods(), self._settings.start_s, snapshot.at))
        try:
            done = await self._applier.apply(wanted.manifests)
        except CallError as error:
            return (*told, refused(SERVERS, str(error)))
        return (*told, *done.findings)


def silent(before: Mapping[ServerKey, datetime], snapshot: Snapshot) -> dict[ServerKey, datetime]:
    """The servers that do not answer, each with since when."""
    now = ((server.pool, server.node) for server in snapshot.servers if server.reading.value is None)
    return {server: before.get(server, snapshot.at) for server in now}


def in_use(planned: Fleet, snapshot: Snapshot, waited_for: Iterable[ServerKey]) -> dict[str, set[str]]:
    """By pool the nodes that are planned with, hold something or are waited for."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for load in planned.loads:
        found[load.placement.pool].add(load.node)
    for server in snapshot.servers:
        held = server.reading.value
        if held and any(model.state is not ModelState.UNAVAILABLE for model in held.models):
            found[server.pool].add(server.node)
    for pool, node in waited_for:
        found[pool].add(node)
    return {pool: nodes - {""} for pool, nodes in found.items()}
