"""Loads on servers that may not stand yet: a node's server is made, and is ready, before its first load.

A server whose last model was unloaded stays until no plan uses its node: what a transition frees it may need again.
"""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

import httpx

from controller.acting.actuator import ActuatorError
from controller.acting.triton import TritonActuator, TritonLimits, TritonServer
from controller.actions import Action, SetLoad, seat_of
from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import CallError, MissingError
from controller.cluster.api_server.resources import PODS, Resource
from controller.cluster.names import namespace_of, pod_of, server_of
from controller.cluster.servers.applying import QUOTA, Applier
from controller.cluster.servers.catalogue import awaited, beyond_quota
from controller.cluster.servers.pod_state import PodState, on_its_machine, pod_state
from controller.cluster.servers.server import GRPC, HTTP, METRICS
from controller.cluster.servers.settings import ServerSettings
from controller.cluster.servers.workloads import workloads
from controller.connections.servers import ServerKey
from policy.findings import Level
from policy.resolved import Policy

LOOK_S: Final = 0.5
MOST_LOOK_S: Final = 4.0
"""From the first look whether a server is ready to the next, and at most, as each pause is half as long again."""
READY_S: Final = 60.0
"""How long an action waits for a server to be ready; for one that takes longer, the next turn waits again."""
_EVENTS: Final = Resource("v1", "events")


def reached(address: str) -> TritonServer:
    """Where the server of a pod with that IP answers."""
    host = f"[{address}]" if ":" in address else address
    return TritonServer(f"http://{host}:{HTTP}", f"http://{host}:{METRICS}/metrics", f"{host}:{GRPC}")


class ServersActuator:
    """Loads and unloads in a cluster.

    `elsewhere` are the pools that have their servers somewhere else. `routed`: routes of the Gateway API lead to
    servers. `reach` tells by a pod's IP where its server answers, `made` of a node when it joined.
    """

    name = "servers"

    def __init__(
        self,
        calls: Calls,
        client: httpx.AsyncClient,
        settings: ServerSettings,
        applier: Applier,
        *,
        elsewhere: Collection[str] = (),
        routed: bool = False,
        ready_s: float = READY_S,
        limits: TritonLimits | None = None,
        reach: Callable[[str], TritonServer] = reached,
        made: Callable[[str], datetime | None] = lambda _: None,
    ) -> None:
        self._calls = calls
        self._client = client
        self._settings = settings
        self._elsewhere = elsewhere
        self._routed = routed
        self._ready_s = ready_s
        self._limits = limits
        self._reach = reach
        self._made = made
        self._applier = applier

    def handles(self, action: Action) -> bool:
        """Loads and unloads that name a node of a pool that has its servers in the cluster."""
        seat = seat_of(action)
        return seat is not None and bool(seat[1]) and seat[0].pool not in self._elsewhere

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:
        """Have the load as wanted on a server that stands, or the placement gone. Raises ActuatorError."""
        seat = seat_of(action)
        if seat is None:
            raise ActuatorError(f"{self.name} cannot do {type(action).__name__}: give it to the one that handles it")
        placement, node = seat
        server = (placement.pool, node)
        try:
            state = await self._pod(server)
            if isinstance(action, SetLoad) and (state is None or not state.is_ready):
                await self._stand(server, policy)
                state = await self._ready(server)
        except CallError as error:
            raise ActuatorError(f"{node} of pool {placement.pool}: {error}") from error
        if state is None or not state.address:
            return  # a server that is not there has nothing loaded
        servers = {server: self._reach(state.address)}
        await TritonActuator(self._client, servers, self._limits).apply(decision_id, action, policy)

    async def _stand(self, server: ServerKey, policy: Policy) -> None:
        """Have the objects of a server as they are wanted."""
        pool, node = server
        wanted = workloads((policy.pool(pool),), {pool: {node}}, self._settings, routed=self._routed)
        findings = (*wanted.findings, *await self._applier.add(wanted.manifests))
        errors = [each for each in findings if each.level is not Level.INFO]
        if errors:
            raise ActuatorError("; ".join(map(str, errors)))

    async def _ready(self, server: ServerKey) -> PodState:
        """Its pod once it is ready. Raises ActuatorError when that takes too long, with what holds it up."""
        found: PodState | None = None
        try:
            async with asyncio.timeout(self._ready_s):
                pause_s = LOOK_S
                while True:
                    found = await self._pod(server)
                    if found is not None and found.is_ready:
                        return found
                    await asyncio.sleep(pause_s)
                    pause_s = min(1.5 * pause_s, MOST_LOOK_S)
        except TimeoutError:
            subject = f"node {server[1]} of pool {server[0]}"
            why = found.why if found else await self._not_made(server)
            told = beyond_quota(subject, why) if QUOTA in why else awaited(subject, self._ready_s, why)
            raise ActuatorError(str(told)) from None

    async def _pod(self, server: ServerKey) -> PodState | None:
        pool, node = server
        try:
            pod = await self._calls.get(PODS.path(pod_of(node), namespace=namespace_of(pool)))
            return on_its_machine(pod_state(pod), self._made(node))
        except MissingError:
            return None

    async def _not_made(self, server: ServerKey) -> str:
        """Why a StatefulSet has no pod, as its controller tells."""
        pool, node = server
        asked = f"involvedObject.name={server_of(node)},reason=FailedCreate"
        events = await self._calls.get(_EVENTS.path(namespace=namespace_of(pool)), fieldSelector=asked)
        told = [str(each.get("message", "")) for each in events["items"]]
        return told[-1] if told else "it has no pod yet"
