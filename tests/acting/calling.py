"""Calls to the real networks, straight to a server or through the gateway."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Self

import httpx

from controller.embedded.models.catalogue import network


def body(model: str) -> dict[str, object]:
    """A request with one grey image."""
    (spec,) = network(model).inputs
    size = 1
    for dim in spec.dims:
        size *= dim
    return {"inputs": [{"name": spec.name, "shape": [1, *spec.dims], "datatype": spec.data_type, "data": [127] * size}]}


@dataclass(slots=True)
class Calls:
    """A steady stream of calls, ended by leaving the block."""

    url: str
    model: str
    every_s: float = 0.05
    statuses: list[int] = field(default_factory=list)
    slowest_s: float = 0.0
    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        await asyncio.sleep(0.5)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        await asyncio.sleep(0.3)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        content = httpx.Request("POST", "http://x", json=body(self.model)).content
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client, asyncio.TaskGroup() as calls:
            try:
                while True:
                    calls.create_task(self._one(client, content))
                    await asyncio.sleep(self.every_s)
            except asyncio.CancelledError:
                return

    async def _one(self, client: httpx.AsyncClient, content: bytes) -> None:
        started = time.monotonic()
        answer = await client.post(self.url, content=content, headers={"content-type": "application/json"})
        self.statuses.append(answer.status_code)
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)
