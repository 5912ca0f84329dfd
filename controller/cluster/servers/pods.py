"""The pods of a cluster's servers, as an informer follows them: where each server answers, and which are late."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from controller.acting.triton import TritonServer
from controller.cluster.api_server.calls import Object
from controller.cluster.api_server.resources import PODS
from controller.cluster.api_server.store import Name, Watched
from controller.cluster.inventory.seen import is_server
from controller.cluster.names import MANAGED_BY, MANAGER, NODE, POOL
from controller.cluster.servers.catalogue import late
from controller.cluster.servers.pod_state import PodState, is_before, on_its_machine, pod_state
from controller.connections.servers import ServerKey
from policy.findings import Finding


@dataclass(frozen=True, slots=True)
class ServerPod:
    """The pod of a server: its pool and node, when it was made, what it tells of itself, and whether it is to end.

    `is_of_before`: its node was another machine when it came there.
    """

    pool: str
    node: str
    made: datetime
    state: PodState
    ends: bool = False
    is_of_before: bool = False


def server_pod(pod: Object) -> ServerPod | None:
    """What is kept of a pod; until it is bound to a node, it is of the one that it was made for."""
    metadata = pod["metadata"]
    if not is_server(metadata):
        return None
    node = pod["spec"].get("nodeName") or metadata.get("annotations", {}).get(NODE, "")
    made = datetime.fromisoformat(metadata["creationTimestamp"])
    ends = "deletionTimestamp" in metadata
    return ServerPod(metadata["labels"].get(POOL, ""), node, made, pod_state(pod), ends)


WATCHED_SERVERS: Final = Watched(PODS, server_pod, labels=f"{MANAGED_BY}={MANAGER},{POOL}")


def on_machines(pods: Mapping[Name, ServerPod], made: Callable[[str], datetime | None]) -> dict[Name, ServerPod]:
    """The pods on the nodes that there are now; `made` tells of each when it joined."""
    # The informer takes events meanwhile, so all is copied at once.
    return {name: _on_machine(pod, made(pod.node)) for name, pod in tuple(pods.items())}


def _on_machine(pod: ServerPod, node_made: datetime | None) -> ServerPod:
    if not is_before(pod.state.bound, node_made):
        return pod
    return replace(pod, state=on_its_machine(pod.state, node_made), is_of_before=True)


def late_servers(pods: Mapping[Name, ServerPod], start_s: int, now: datetime) -> tuple[Finding, ...]:
    """The servers that are not ready though they were made longer ago than `start_s`, each with what holds it up."""
    return tuple(
        late(f"node {pod.node} of pool {pod.pool}", start_s, pod.state.why)
        for pod in pods.values()
        if not pod.state.is_ready and not pod.ends and pod.made < now - timedelta(seconds=start_s)
    )


class ServerAddresses:
    """Where the servers of a cluster answer.

    A server that is not ready within `start_s` of being made is among them: it does not answer, so nothing is planned
    for its node. Until then its node counts as one that gets its server with its first load. `reach` tells by a pod's
    IP where its server answers.
    """

    def __init__(
        self,
        pods: Callable[[], Mapping[Name, ServerPod]],
        start_s: int,
        reach: Callable[[str], TritonServer],
        clock: Callable[[], datetime],
    ) -> None:
        self._pods = pods
        self._start = timedelta(seconds=start_s)
        self._reach = reach
        self._clock = clock

    def now(self) -> dict[ServerKey, TritonServer]:
        """Each of them by pool and node, as it is now."""
        pods, late = self._pods().values(), self._clock() - self._start
        return {
            (pod.pool, pod.node): replace(self._reach(pod.state.address), process=pod.state.process)
            for pod in pods
            if pod.state.address and (pod.state.is_ready or pod.made <= late)
        }
