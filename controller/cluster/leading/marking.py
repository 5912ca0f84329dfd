"""The leader's pod has a label of its own: the Service leads to that pod, and to none that stands by.

The label is a convenience and no lock. Who may write is held by the lease (`fencing.py`); a label that is late costs
requests, which meet a replica that refuses them, and nothing else.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import CallError
from controller.cluster.api_server.resources import PODS
from controller.cluster.names import LEADS

LOG: Final = logging.getLogger("gridwright.cluster")
AGAIN_S: Final = 5.0
OFF_WITHIN_S: Final = 2.0
"""A leader that was deposed ends soon, whether or not the API server answers: the journal is waited for."""
_MANAGER: Final = "gridwright-leader"


@dataclass(frozen=True, slots=True)
class Pod:
    """The pod that this process runs in."""

    name: str
    namespace: str


def own_pod(environment: Mapping[str, str]) -> Pod | None:
    """The pod as the chart tells its containers of it; None where nobody does, as out of a pod."""
    name, namespace = environment.get("POD_NAME"), environment.get("POD_NAMESPACE")
    return Pod(name, namespace) if name and namespace else None


class Mark:
    """The label on the own pod. Out of a pod there is none to write, and nothing is asked."""

    def __init__(self, calls: Calls, pod: Pod | None) -> None:
        self._calls = calls
        self._pod = pod

    async def take_off(self) -> None:
        """Take off what a process before this one may have left on the same pod. Raises CallError."""
        await self._write(leads=False)

    @asynccontextmanager
    async def on(self) -> AsyncIterator[None]:
        """Have the label on while the block runs, or as soon as the API server takes it."""
        writing = asyncio.create_task(self._put_on())
        try:
            yield
        finally:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
            await self._take_off_soon()

    async def _put_on(self) -> None:
        while True:
            try:
                await self._write(leads=True)
            except CallError as error:
                LOG.warning("the pod has not the label of the leader yet, and no requests come: %s", error)
                await asyncio.sleep(AGAIN_S)
            else:
                return

    async def _take_off_soon(self) -> None:
        try:
            async with asyncio.timeout(OFF_WITHIN_S):
                await self.take_off()
        except (CallError, TimeoutError) as error:
            LOG.warning("the label of the leader stays on the pod until it starts anew: %s", error or "no answer")

    async def _write(self, *, leads: bool) -> None:
        if self._pod is None:
            return
        metadata = {
            "name": self._pod.name,
            "namespace": self._pod.namespace,
            "labels": {LEADS: "true"} if leads else {},
        }
        manifest = {"apiVersion": PODS.version, "kind": "Pod", "metadata": metadata}
        path = PODS.path(self._pod.name, namespace=self._pod.namespace)
        await self._calls.apply(path, manifest, _MANAGER, force=True)
