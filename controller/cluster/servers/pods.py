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
from controller.cluster.servers.pod_state import PodState, pod_state
from controller.connections import ServerKey
from policy.findings import Finding


@dataclass(frozen=True, slots=True)
class ServerPod:
    """The pod of a server: its pool and node, when it was made, what it tells of itself, and whether it is to end.

    `process` is another one whenever its Triton was started anew, and so holds nothing.
    """

    pool: str
    node: str
    made: datetime
    state: PodState
    ends: bool = False
    process: str = ""


def server_pod(pod: Object) -> ServerPod | None:
    """What is kept of a pod; until it is bound to a node, it is of the one that it was made for."""
    metadata = pod["metadata"]
    if not is_server(metadata):
        return None
    node = pod["spec"].get("nodeName") or metadata.get("annotations", {}).get(NODE, "")
    made = datetime.fromisoformat(metadata["creationTimestamp"])
    ends = "deletionTimestamp" in metadata
    restarts = sum(each.get("restartCount", 0) for each in pod.get("status", {}).get("containerStatuses", ()))
    process = f"{metadata.get('uid', '')}/{restarts}"
    return ServerPod(metadata["labels"].get(POOL, ""), node, made, pod_state(pod), ends, process)


WATCHED_SERVERS: Final = Watched(PODS, server_pod, labels=f"{MANAGED_BY}={MANAGER},{POOL}")


def late_servers(pods: Mapping[Name, ServerPod], start_s: int, now: datetime) -> tuple[Finding, ...]:
    """The servers that are not ready though they were made longer ago than `start_s`, each with what holds it up."""
    # The informer takes events meanwhile, so all is copied at once.
    return tuple(
        late(f"node {pod.node} of pool {pod.pool}", start_s, pod.state.why)
        for pod in tuple(pods.values())
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
        # The informer takes events meanwhile, so all is copied at once.
        pods, late = tuple(self._pods().values()), self._clock() - self._start
        return {
            (pod.pool, pod.node): replace(self._reach(pod.state.address), process=pod.process)
            for pod in pods
            if pod.state.address and (pod.state.is_ready or pod.made <= late)
        }
