"""Which addresses have a server: those of pods that run. KWOK gives the address of a pod that is gone to another."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx

from controller.cluster.api_server.reaching import client
from tests.cluster.many_tritons.models import Config, Traffic, Triton

PODS = "/api/v1/pods"
OURS = {"labelSelector": "app.kubernetes.io/managed-by=gridwright,gridwright.dev/pool"}
LOOK_S, LOOKS = 0.02, 250
AGAIN_S = 0.5


class Servers:
    """A Triton behind the address of each pod of a server that runs."""

    def __init__(
        self, repository: tuple[str, ...], traffic: Traffic, begins: dict[str, dict[str, Config]] | None = None
    ) -> None:
        """`begins` has by node what the first server there holds from the start."""
        self._repository = repository
        self._traffic = traffic
        self._begins = dict(begins or {})
        self._at: dict[str, tuple[str, Triton]] = {}

    async def at(self, address: str) -> Triton | None:
        """The server at an address; None where no pod has it. The controller may know of a pod a moment earlier."""
        for _ in range(LOOKS):
            if address in self._at:
                break
            await asyncio.sleep(LOOK_S)
        return self.now(address)

    def now(self, address: str) -> Triton | None:
        """The server at an address, if there is one by now."""
        found = self._at.get(address)
        return found[1] if found else None

    def all(self) -> dict[str, Triton]:
        """Every server, by its address."""
        return {address: server for address, (_, server) in self._at.items()}

    def become(self, pods: list[dict[str, Any]]) -> None:
        """Take a whole listing."""
        kept = {pod["metadata"]["uid"] for pod in pods if _runs(pod)}
        self._at = {address: known for address, known in self._at.items() if known[0] in kept}
        for pod in pods:
            self.take("ADDED", pod)

    def take(self, event: str, pod: dict[str, Any]) -> None:
        """Take an event: a pod that runs has a server, one that is gone has none."""
        address, uid = pod.get("status", {}).get("podIP", ""), pod["metadata"]["uid"]
        known = self._at.get(address)
        if event != "DELETED" and _runs(pod):
            if known is None or known[0] != uid:
                begins = self._begins.pop(pod["spec"].get("nodeName", ""), None)
                self._at[address] = (uid, Triton(self._repository, self._traffic, begins))
        elif known is not None and known[0] == uid:
            del self._at[address]


def _runs(pod: dict[str, Any]) -> bool:
    status = pod.get("status", {})
    return status.get("phase") == "Running" and bool(status.get("podIP"))


@asynccontextmanager
async def following(servers: Servers, kubeconfig: str) -> AsyncIterator[None]:
    """Follow the pods of a cluster while the block runs."""
    async with client(kubeconfig=kubeconfig) as to:
        task = asyncio.create_task(_follow(servers, to))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _follow(servers: Servers, to: httpx.AsyncClient) -> None:
    while True:
        with suppress(httpx.HTTPError):
            listed = (await to.get(PODS, params=OURS)).raise_for_status().json()
            servers.become(listed["items"])
            version = listed["metadata"]["resourceVersion"]
            how = {**OURS, "watch": "1", "resourceVersion": version}
            async with to.stream("GET", PODS, params=how, timeout=httpx.Timeout(5, read=None)) as events:
                async for line in events.aiter_lines():
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        break
                    servers.take(event["type"], event["object"])
        await asyncio.sleep(AGAIN_S)
