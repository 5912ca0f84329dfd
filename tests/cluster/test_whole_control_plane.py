"""The whole control plane does what one does: pods come from workloads, to nodes that fit, and run there."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.api_server import ApiServer, Manifest, eventually
from tests.cluster.whole import played

pytestmark = pytest.mark.cluster

NAMESPACE = "whole"
POOL = "gridwright.dev/pool"


@pytest.fixture
def nodes(cluster: ApiServer) -> Iterator[tuple[str, ...]]:
    """Two nodes of a pool and one of another, once they are ready."""
    made = [played("near-a", "near"), played("near-b", "near"), played("far-a", "far")]
    for node in made:
        cluster.create(node)
    eventually(lambda: all(is_ready(cluster.get(f"/api/v1/nodes/{each['metadata']['name']}")) for each in made))
    yield tuple(each["metadata"]["name"] for each in made)
    for node in made:
        cluster.delete(node)


def is_ready(thing: Manifest) -> bool:
    """Whether a node or a pod says that it is ready."""
    conditions: list[dict[str, Any]] = thing.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def stateful_set(pool: str, replicas: int) -> Manifest:
    """Servers of a pool, one a node by the GPU that each asks for."""
    labels = {"app": "triton"}
    container = {"name": "triton", "image": "triton", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    tolerations = [{"operator": "Exists"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "triton", "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "serviceName": "triton",
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"nodeSelector": {POOL: pool}, "tolerations": tolerations, "containers": [container]},
            },
        },
    }


@pytest.mark.usefixtures("nodes")
def test_a_workload_gets_pods_that_run_on_nodes_that_fit(cluster: ApiServer) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    cluster.create(space)
    eventually(lambda: cluster.is_served(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"))
    cluster.create(stateful_set("near", 3))

    def pods() -> list[Manifest]:
        found: list[Manifest] = cluster.get(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"]
        return found

    eventually(lambda: sum(map(is_ready, pods())) == 2)
    assert {each["spec"].get("nodeName") for each in pods()} == {"near-a", "near-b", None}
    cluster.delete(space)
    eventually(lambda: not cluster.is_served(f"/api/v1/namespaces/{NAMESPACE}"))
