"""All that a cluster holds, to be compared with what it held before."""

from collections.abc import Iterator

import httpx

from tests.cluster.api_server import ApiServer, Manifest

PASSING = frozenset({"events", "leases", "componentstatuses"})
"""What comes and goes by itself."""


def everything(server: ApiServer) -> set[str]:
    """The path of each object of a cluster, of whatever kind."""
    return {
        f"{path} {each['metadata'].get('namespace', '')}/{each['metadata']['name']}"
        for path in _collections(server)
        for each in _listed(server, path)
    }


def is_furnished(server: ApiServer) -> bool:
    """Whether each namespace has what Kubernetes itself puts there, a moment after it is made."""
    names = {each["metadata"]["name"] for each in server.get("/api/v1/namespaces")["items"]}
    wanted = (("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt"))
    found = {path: _listed(server, f"/api/v1/{path}") for path, _ in wanted}
    return all(
        names == {each["metadata"]["namespace"] for each in found[path] if each["metadata"]["name"] == name}
        for path, name in wanted
    )


def _collections(server: ApiServer) -> Iterator[str]:
    groups = [each["preferredVersion"]["groupVersion"] for each in server.get("/apis")["groups"]]
    for root in ("/api/v1", *(f"/apis/{group}" for group in groups)):
        for resource in _resources(server, root):
            if "list" in resource["verbs"] and resource["name"] not in PASSING:
                yield f"{root}/{resource['name']}"


def _resources(server: ApiServer, root: str) -> list[Manifest]:
    """The resources of a group; none where it is on its way out."""
    found: list[Manifest] = server.get(root)["resources"] if server.is_served(root) else []
    return found


def _listed(server: ApiServer, path: str) -> list[Manifest]:
    try:
        items: list[Manifest] = server.get(path)["items"]
    except (AssertionError, httpx.HTTPError):
        assert not server.is_served(path)  # a kind whose definition has just gone
        return []
    return items
