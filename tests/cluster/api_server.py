"""A client of the API server of Kubernetes: manifests in, its own answers out."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from policy.schema.crd import plural

Manifest = dict[str, Any]
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PATIENCE_S = 60.0
ORPHANED_S = 150.0
"""Kubernetes takes away the pods of a node that is gone 40 to 60 seconds later (`pkg/controller/podgc`), or more."""
POLL_S = 0.1


class ApiServer:
    """An API server behind a client that knows its address and certificates."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def post(self, path: str, manifest: Manifest, **how: str) -> httpx.Response:
        """The server's answer, whatever it is. Unknown fields are refused unless `how` says otherwise."""
        return self._client.post(path, params={"fieldValidation": "Strict", **how}, json=manifest)

    def get(self, path: str, *, table: bool = False) -> Manifest:
        """What is kept at a path; as a table, what `kubectl get` shows of it."""
        response = self._client.get(path, headers={"Accept": TABLE if table else "application/json"})
        assert response.is_success, response.text
        kept: Manifest = response.json()
        return kept

    def create(self, manifest: Manifest) -> Manifest:
        """The new object, as the server keeps it."""
        response = self.post(collection(manifest), manifest)
        assert response.status_code == httpx.codes.CREATED, f"{manifest}: {response.text}"
        kept: Manifest = response.json()
        return kept

    def patch(self, path: str, change: Manifest) -> None:
        """Change what is at a path, by a merge patch."""
        response = self._client.patch(path, json=change, headers={"Content-Type": "application/merge-patch+json"})
        assert response.is_success, response.text

    def replace(self, path: str, manifest: Manifest) -> None:
        """Put a manifest, which names the version that it replaces, in the place of what is at a path."""
        response = self._client.put(path, json=manifest)
        assert response.is_success, response.text

    def delete(self, manifest: Manifest) -> None:
        """Delete what has the name of a manifest."""
        response = self._client.delete(one(manifest))
        assert response.is_success, response.text

    def remove(self, path: str) -> None:
        """Have what is at a path be gone at once, if it is there."""
        response = self._client.delete(path, params={"gracePeriodSeconds": "0"})
        assert response.is_success or response.status_code == httpx.codes.NOT_FOUND, response.text

    def changes(self, path: str, version: str) -> Iterator[tuple[str, Manifest]]:
        """What is ADDED, MODIFIED and DELETED at a path after a version of it, until the server ends that."""
        how = {"watch": "1", "resourceVersion": version}
        with self._client.stream("GET", path, params=how, timeout=None) as response:
            assert response.is_success, response.read()
            for line in response.iter_lines():
                event = json.loads(line)
                yield event["type"], event["object"]

    def is_served(self, path: str) -> bool:
        """Whether there is anything at a path."""
        return self._client.get(path).is_success


def collection(manifest: Manifest) -> str:
    """The path of all objects beside the one that a manifest declares."""
    version, namespace = manifest["apiVersion"], manifest["metadata"].get("namespace")
    group = f"/apis/{version}" if "/" in version else f"/api/{version}"
    return f"{group}{f'/namespaces/{namespace}' if namespace else ''}/{plural(manifest['kind'])}"


def one(manifest: Manifest) -> str:
    """The path of the object that a manifest declares."""
    return f"{collection(manifest)}/{manifest['metadata']['name']}"


def message(response: httpx.Response) -> str:
    """Why a request was refused, in the server's words."""
    told: str = response.json()["message"]
    return told


def eventually(holds: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until what an API server makes of an object in its own time has come to hold."""
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end, f"this does not hold after {patience_s:g} s"
        time.sleep(POLL_S)
