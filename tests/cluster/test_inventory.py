"""The inventory of a real control plane with played nodes: what comes, changes and goes is seen."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.snapshot import Snapshot
from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.reaching import client
from controller.cluster.inventory.collector import ClusterInventory
from policy.findings import Place
from policy.resolved import Pool, Purchase
from tests.cluster.api_server import ApiServer, Manifest, eventually
from tests.cluster.restarting import Restarted
from tests.cluster.starting import KUBECONFIG
from tests.cluster.whole import played

pytestmark = pytest.mark.cluster

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
POOL = Pool("counted", "paris", "card", 2, 8_000, 1_000, 10, Purchase.OWNED, Place("fleet.yaml", 7, 1))
PATIENCE_S = 60.0


@pytest.fixture
async def inventory(cluster: ApiServer, cluster_kubeconfig: Path) -> AsyncIterator[ClusterInventory]:
    cluster.create(played("counted-a", "counted"))
    async with client("tests", str(cluster_kubeconfig)) as reached:
        found = ClusterInventory(Calls(reached), lambda: [POOL], {"card": "nvidia.com/gpu"}, lambda: NOON)
        async with found.running():
            yield found
    for each in cluster.get("/api/v1/nodes")["items"]:
        if each["metadata"]["name"].startswith("counted-"):
            cluster.delete({**each, "apiVersion": "v1", "kind": "Node"})


def nodes(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """The nodes of the pool, and what is against each."""
    (found,) = snapshot.inventory
    assert found.reading.at == NOON
    return {node.name: node.against if node.is_ready else ("not ready",) for node in found.reading.value or ()}


async def comes_to_be(inventory: ClusterInventory, wanted: dict[str, tuple[str, ...]]) -> Snapshot:
    """The snapshot in which the nodes are these; once in a while it is looked."""
    async with asyncio.timeout(PATIENCE_S):
        while nodes(snapshot := await inventory.collect(NOON)) != wanted:  # noqa: ASYNC110 - it is looked by turns
            await asyncio.sleep(0.05)
    return snapshot


async def test_nodes_come_are_cordoned_lose_their_device_and_go(
    cluster: ApiServer, inventory: ClusterInventory
) -> None:
    told = await comes_to_be(inventory, {"counted-a": ()})
    assert [finding.id for finding in told.findings if finding.subject == "pool counted"] == ["GW2110"]
    second = played("counted-b", "counted")
    cluster.create(second)
    told = await comes_to_be(inventory, {"counted-a": (), "counted-b": ()})
    assert [finding.id for finding in told.findings if finding.subject == "pool counted"] == []
    cordon(cluster, "counted-a")
    told = await comes_to_be(inventory, {"counted-a": ("cordoned",), "counted-b": ()})
    assert "GW2111" in {finding.id for finding in told.findings}
    take_device(cluster, "counted-b")
    await comes_to_be(inventory, {"counted-a": ("cordoned",), "counted-b": ("nvidia.com/gpu taken by others",)})
    cluster.delete(second)
    await comes_to_be(inventory, {"counted-a": ("cordoned",)})


async def test_a_quota_is_seen(cluster: ApiServer, inventory: ClusterInventory) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gridwright-counted"}}
    cluster.create(namespace)
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": "gridwright-counted"},
        "spec": {"hard": {"requests.nvidia.com/gpu": "0"}},
    }
    cluster.create(quota)
    await comes_to_be(inventory, {"counted-a": ("no room in the quota none requests.nvidia.com/gpu",)})
    cluster.delete(namespace)
    await comes_to_be(inventory, {"counted-a": ()})


def cordon(cluster: ApiServer, name: str) -> None:
    """As `kubectl cordon` does."""
    cluster.patch(f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}})


def take_device(cluster: ApiServer, node: str) -> None:
    """A pod of somebody else gets the node's device."""
    eventually(lambda: cluster.is_served("/api/v1/namespaces/default/serviceaccounts/default"))
    container: Manifest = {"name": "other", "image": "other", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    metadata = {"name": "takes-device", "namespace": "default"}
    spec = {"containers": [container], "nodeSelector": {"kubernetes.io/hostname": node}}
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


async def test_a_cluster_that_is_away_has_lost_no_nodes(restarted: Restarted) -> None:
    clock = iter(NOON + timedelta(seconds=second) for second in itertools.count())
    async with client("tests", str(restarted.work / KUBECONFIG)) as reached:
        inventory = ClusterInventory(Calls(reached), lambda: [POOL], {}, lambda: next(clock))
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(restarted.serving())
            server.create(played("counted-a", "counted"))
            async with inventory.running():
                (before,) = (await inventory.collect(NOON)).inventory
                stack.close()
                async with asyncio.timeout(PATIENCE_S):
                    while not told_of(away := await inventory.collect(NOON)):  # noqa: ASYNC110 - it is no event
                        await asyncio.sleep(0.05)
                (since,) = (await inventory.collect(NOON)).inventory
    (found,) = away.inventory
    assert [node.name for node in found.reading.value or ()] == ["counted-a"]
    assert told_of(away) == {"nodes", "pods", "quotas"}
    assert before.reading.at is not None
    assert found.reading.at == since.reading.at  # it is as old as the last that was heard


def told_of(snapshot: Snapshot) -> set[str]:
    """What cannot be followed, once nothing can be."""
    found = {each.subject for each in snapshot.findings if each.id == "GW2113"}
    return found if len(found) == 3 else set()
