"""Loads on servers that may not stand yet: a node's server is made, and is ready, before its first load.

A server whose last model was unloaded stays until no plan uses its node: what a transition frees it may need again.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import httpx

from controller.acting.actuator import ActuatorError, HangError
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
from controller.fleet import seat_name
from policy.findings import Level
from policy.resolved import Policy

LOOK_S: Final = 0.5
MOST_LOOK_S: Final = 4.0
"""From the first look whether a server is ready to the next, and at most, as each pause is half as long again."""
READY_S: Final = 60.0
"""How long an action waits for a server to be ready; for one that takes longer, the next turn waits again."""
WITHIN_S: Final = 80.0
"""How long an action takes in all, less than the loop waits for one: what is not done by then counts as hung there."""
LOOK_AGAIN_S: Final = 5.0
"""How long it may take to see whether a server that does not answer is still the one that was asked."""
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
        within_s: float = WITHIN_S,
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
        self._within_s = within_s
        self._limits = limits or TritonLimits()
        self._reach = reach
        self._made = made
        self._applier = applier

    def handles(self, action: Action) -> bool:
        """Loads and unloads that name a node of a pool that has its servers in the cluster."""
        seat = seat_of(action)
        return seat is not None and bool(seat[1]) and seat[0].pool not in self._elsewhere

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:
        """Have the load as wanted on a server that stands, or the placement gone. Raises ActuatorError.

        HangError where a server that was ready had as long as a load may take, and is still the same one.
        """
        seat = seat_of(action)
        if seat is None:
            raise ActuatorError(f"{self.name} cannot do {type(action).__name__}: give it to the one that handles it")
        placement, node = seat
        server = (placement.pool, node)
        clock = asyncio.get_running_loop()
        end = clock.time() + self._within_s
        state = await self._found(server, policy, end, makes=isinstance(action, SetLoad))
        if state is None or not state.address:
            return  # a server that is not there has nothing loaded
        servers, left = {server: self._reach(state.address)}, timedelta(seconds=end - clock.time())
        limits = replace(self._limits, action=min(left, self._limits.action))
        try:
            await TritonActuator(self._client, servers, limits).apply(decision_id, action, policy)
        except HangError as error:
            excuse = _too_late(left, self._limits.action) or await self._started_anew(server, state)
            if excuse:
                raise ActuatorError(f"{seat_name(seat)}: {excuse}") from error
            raise

    async def _found(self, server: ServerKey, policy: Policy, end: float, *, makes: bool) -> PodState | None:
        """The pod of a server, which is made where that is asked for, and then ready. Raises ActuatorError."""
        pool, node = server
        try:
            async with asyncio.timeout_at(end):
                state = await self._pod(server)
                return state if not makes or (state and state.is_ready) else await self._ready(server, policy)
        except CallError as error:
            raise ActuatorError(f"{node} of pool {pool}: {error}") from error
        except TimeoutError:
            told = f"the API server has not told of its pod within {self._within_s:g} s; the next turn asks again"
            raise ActuatorError(f"{node} of pool {pool}: {told}") from None

    async def _started_anew(self, server: ServerKey, asked: PodState) -> str:
        """That the process is gone that was asked; empty where it is not, or where nothing is told of it."""
        try:
            async with asyncio.timeout(LOOK_AGAIN_S):
                now = await self._pod(server)
        except (CallError, TimeoutError):
            return ""
        is_same = now is not None and now.process == asked.process
        return "" if is_same else "it was started anew before it answered; the next turn asks it again"

    async def _stand(self, server: ServerKey, policy: Policy) -> None:
        """Have the objects of a server as they are wanted."""
        pool, node = server
        wanted = workloads((policy.pool(pool),), {pool: {node}}, self._settings, routed=self._routed)
        findings = (*wanted.findings, *await self._applier.add(wanted.manifests))
        errors = [each for each in findings if each.level is not Level.INFO]
        if errors:
            raise ActuatorError("; ".join(map(str, errors)))

    async def _ready(self, server: ServerKey, policy: Policy) -> PodState:
        """Its pod, made where it is not there, once it is ready.

        Raises ActuatorError when that takes too long, with what holds it up.
        """
        await self._stand(server, policy)
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


def _too_late(left: timedelta, whole: timedelta) -> str:
    """That a load had less time than one may take, as its server was late; empty where it had all of it."""
    if left >= whole:
        return ""
    left_s = left.total_seconds()
    return f"its server was ready so late that only {left_s:.0f} s was left to load it; the next turn goes on"
