"""A watcher that shares no code with the controller: each change of each object of a cluster, as a line of JSON.

python -m tests.cluster.watcher KUBECONFIG RECORD
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Any

import httpx

from tests.cluster.stand_in.following import LISTED, client, events

GROUPS_LOOKED_AT = ("", "apps", "policy", "networking.k8s.io", "scheduling.k8s.io", "coordination.k8s.io")
OTHERS = ("admissionregistration.k8s.io", "events.k8s.io", "gridwright.dev")


async def kinds(by: httpx.AsyncClient) -> AsyncIterator[str]:
    """The path of each kind of object that can be watched, in groups that a controller of servers may write."""
    groups = (await by.get("/apis")).raise_for_status().json()["groups"]
    versions = {each["name"]: f"/apis/{each['preferredVersion']['groupVersion']}" for each in groups} | {"": "/api/v1"}
    for group in (*GROUPS_LOOKED_AT, *OTHERS):
        root = versions[group]
        for resource in (await by.get(root)).raise_for_status().json()["resources"]:
            is_told_twice = root == "/api/v1" and resource["name"] == "events"
            if "watch" in resource["verbs"] and not is_told_twice:
                yield f"{root}/{resource['name']}"


async def record(by: httpx.AsyncClient, path: str, into: IO[str]) -> None:
    """Write down what is there of a kind, and what becomes of it, for ever."""
    async for kind, what in events(by, path):
        for each in what if kind == LISTED else [what]:
            into.write(json.dumps(line(kind, path, each)) + "\n")


def line(kind: str, path: str, what: dict[str, Any]) -> dict[str, Any]:
    """A change as it is recorded."""
    return {"at": time.time(), "type": kind, "kind": path, "object": what}


async def main(kubeconfig: Path, file: Path) -> None:
    with file.open("a", buffering=1) as into:
        async with client(kubeconfig) as by, asyncio.TaskGroup() as group:
            async for path in kinds(by):
                group.create_task(record(by, path, into))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
