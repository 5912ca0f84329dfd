"""Following objects of an API server by plain HTTP: a list, then a watch, and again from the start when it ends."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import yaml

Object = dict[str, Any]
AGAIN_S = 0.2
LISTED = "LISTED"
"""The type of an event that has all there is: each list begins with one, and objects that it lacks are gone."""


def client(kubeconfig: Path) -> httpx.AsyncClient:
    """A client for the server that a kubeconfig with files names."""
    kept = yaml.safe_load(kubeconfig.read_text())
    cluster, user = kept["clusters"][0]["cluster"], kept["users"][0]["user"]
    context = ssl.create_default_context(cafile=cluster["certificate-authority"])
    context.load_cert_chain(user["client-certificate"], user["client-key"])
    timeout = httpx.Timeout(30, read=None)
    return httpx.AsyncClient(base_url=cluster["server"], verify=context, trust_env=False, timeout=timeout)


async def events(by: httpx.AsyncClient, path: str, **selected: str) -> AsyncIterator[tuple[str, Any]]:
    """What happens at a path, for ever: (LISTED, all objects), then (ADDED, MODIFIED or DELETED, the object)."""
    while True:
        try:
            answer = (await by.get(path, params=selected)).raise_for_status().json()
            yield LISTED, answer["items"]
            version = answer["metadata"]["resourceVersion"]
            async with by.stream("GET", path, params={**selected, "watch": "1", "resourceVersion": version}) as lines:
                async for line in lines.raise_for_status().aiter_lines():
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        break
                    yield event["type"], event["object"]
        except httpx.HTTPError:
            await asyncio.sleep(AGAIN_S)
