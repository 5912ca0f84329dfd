"""A Triton at the address of each pod of a server, for as long as the pod and its node are there."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import grpc
import httpx

from tests.cluster.stand_in.following import LISTED, Object, events
from tests.cluster.stand_in.notes import Notes
from tests.cluster.stand_in.pages import Pages
from tests.cluster.stand_in.pipe import Pipe
from tests.cluster.stand_in.repository import serving
from tests.cluster.stand_in.triton import Triton

HTTP, GRPC, METRICS = 8000, 8001, 8002
PORTS = {"http": HTTP, "grpc": GRPC, "metrics": METRICS}
SERVERS = "app.kubernetes.io/managed-by=gridwright,gridwright.dev/server"


@dataclass(frozen=True, slots=True)
class Standing:
    """What answers for a pod."""

    node: str
    ports: tuple[Pages | Pipe, ...]
    repository: grpc.aio.Server | None = None

    async def end(self) -> None:
        """As a machine that is switched off."""
        for port in self.ports:
            port.close()
        if self.repository is not None:
            await self.repository.stop(None)


class Tritons:
    """The servers of a cluster, by the uid of their pods. On a node with a `real` one, that one answers.

    `real` has the address of each port, `http`, `grpc` and `metrics`, by node.
    """

    def __init__(
        self, models: Sequence[str], notes: Notes, load_s: float, real: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._models = models
        self._notes = notes
        self._load_s = load_s
        self._real = real
        self._standing: dict[str, Standing] = {}
        self._nodes: set[str] = set()

    async def follow(self, by: httpx.AsyncClient) -> None:
        """Have servers come and go with pods and nodes, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_pods(by))
            group.create_task(self._follow_nodes(by))

    async def _follow_pods(self, by: httpx.AsyncClient) -> None:
        async for kind, what in events(by, "/api/v1/pods", labelSelector=SERVERS):
            if kind == LISTED:
                there = {pod["metadata"]["uid"] for pod in what}
                for uid in self._standing.keys() - there:
                    await self._end(uid)
                for pod in what:
                    await self._start(pod)
            elif kind == "DELETED":
                await self._end(what["metadata"]["uid"])
            else:
                await self._start(what)

    async def _follow_nodes(self, by: httpx.AsyncClient) -> None:
        async for kind, what in events(by, "/api/v1/nodes"):
            if kind == LISTED:
                self._nodes = {node["metadata"]["name"] for node in what}
            elif kind == "DELETED":
                name = what["metadata"]["name"]
                self._nodes.discard(name)
                for uid in [uid for uid, each in self._standing.items() if each.node == name]:
                    await self._end(uid)
            else:
                self._nodes.add(what["metadata"]["name"])

    async def _start(self, pod: Object) -> None:
        uid, status, node = pod["metadata"]["uid"], pod.get("status", {}), pod["spec"].get("nodeName", "")
        address = status.get("podIP")
        if not address or uid in self._standing or "deletionTimestamp" in pod["metadata"]:
            return
        self._standing[uid] = await (self._piped if node in self._real else self._played)(node, address)
        self._notes.note("start", node=node, address=address, uid=uid)

    async def _played(self, node: str, address: str) -> Standing:
        triton = Triton(node, self._models, self._notes, self._load_s)
        ports = Pages(triton.answer), Pages(triton.metrics)
        await ports[0].open(address, HTTP)
        await ports[1].open(address, METRICS)
        return Standing(node, ports, await serving(triton, f"{address}:{GRPC}"))

    async def _piped(self, node: str, address: str) -> Standing:
        pipes = []
        for name, port in PORTS.items():
            host, _, real = self._real[node][name].rpartition(":")
            pipes.append(Pipe(host, int(real)))
            await pipes[-1].open(address, port)
        return Standing(node, tuple(pipes))

    async def _end(self, uid: str) -> None:
        standing = self._standing.pop(uid, None)
        if standing is not None:
            self._notes.note("end", node=standing.node, uid=uid)
            await standing.end()
