"""What a plan asks for, applied to a real control plane: pods where the plan says, and nothing done against others."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from controller.cluster.api_server.calls import Calls
from controller.cluster.names import namespace_of
from controller.cluster.servers.applying import Applier
from controller.cluster.servers.standing import KINDS, Key, key_of
from controller.cluster.servers.workloads import priority
from policy.findings import Finding
from tests.cluster.api_server import ApiServer, Manifest, eventually
from tests.cluster.fleet import SETTINGS, asked, calls, is_ready, pods, pool, stand

pytestmark = pytest.mark.cluster

POOLS = (EDGE, STILL, TAKEN, SCALED, FOREIGN, BOUNDED, FRAIL, STEADY) = tuple(
    pool(name) for name in ("edge", "still", "taken", "scaled", "foreign", "bounded", "frail", "steady")
)


@pytest.fixture
async def by(cluster_kubeconfig: Path) -> AsyncIterator[Calls]:
    async with calls(cluster_kubeconfig) as asked:
        yield asked


@pytest.fixture(scope="module")
def standing(cluster: ApiServer) -> ApiServer:
    """The cluster with the nodes of all pools."""
    stand(cluster, *POOLS)
    return cluster


@pytest.fixture
async def applier(by: Calls) -> AsyncIterator[Applier]:
    """One that leaves nothing behind."""
    applier = Applier(by)
    yield applier
    for each in await applier.standing():
        if each.key.kind != "Namespace":
            await by.delete(each.key.path)


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(each.id, each.subject) for each in findings]


def server_key(pool: Any, node: str) -> Key:
    return Key("StatefulSet", namespace_of(pool.name), node)


async def test_servers_come_to_the_planned_nodes_and_go_from_those_that_are_planned_no_more(
    standing: ApiServer, applier: Applier
) -> None:
    first, second, third = EDGE.node_names()
    done = await applier.apply(asked(EDGE, first, second, third))
    assert done.findings == ()
    eventually(lambda: [is_ready(each) for each in pods(standing, EDGE).values()] == [True] * 3)
    kept = {node: each["metadata"]["uid"] for node, each in pods(standing, EDGE).items()}
    assert sorted(kept) == [first, second, third]
    eventually(lambda: lets_one_go(standing, EDGE, of=3))
    fewer = await applier.apply(asked(EDGE, first, third))
    assert (fewer.removed, fewer.findings) == ((server_key(EDGE, second),), ())
    eventually(lambda: sorted(pods(standing, EDGE)) == [first, third])
    assert {node: each["metadata"]["uid"] for node, each in pods(standing, EDGE).items()} == {
        node: kept[node] for node in (first, third)
    }


def lets_one_go(cluster: ApiServer, pool: Any, *, of: int) -> bool:
    """Whether so many servers of a pool are healthy, and its budget lets one go: it counts pods as they come."""
    told = budget(cluster, pool)
    return (told["currentHealthy"], told["expectedPods"], told["disruptionsAllowed"]) == (of, of, 1)


def budget(cluster: ApiServer, pool: Any) -> Any:
    path = f"/apis/policy/v1/namespaces/{namespace_of(pool.name)}/poddisruptionbudgets/servers"
    return cluster.get(path).get("status") or dict.fromkeys(
        ("currentHealthy", "expectedPods", "disruptionsAllowed"), -1
    )


@pytest.mark.usefixtures("standing")
async def test_what_is_as_applied_is_not_written_again(applier: Applier, by: Calls) -> None:
    wanted = asked(STILL, *STILL.node_names())
    assert set((await applier.apply(wanted)).written) == set(map(key_of, wanted))
    assert (await applier.apply(wanted)).written == ()
    again = Applier(by)
    account = Key("ServiceAccount", namespace_of(STILL.name), "server")
    before = (await by.get(account.path))["metadata"]["resourceVersion"]
    assert set((await again.apply(wanted)).written) == set(map(key_of, wanted))
    assert (await by.get(account.path))["metadata"]["resourceVersion"] == before


async def test_fields_that_somebody_else_has_set_are_told_and_left(
    standing: ApiServer, applier: Applier, by: Calls
) -> None:
    (node, *_) = TAKEN.node_names()
    wanted = asked(TAKEN, node)
    await applier.apply(wanted)
    key = server_key(TAKEN, node)
    patch = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": node}, "spec": {"replicas": 0}}
    await by.apply(key.path, patch, "somebody", force=True)
    done = await applier.apply(wanted)
    assert told(done.findings) == [("GW2131", str(key))]
    assert "somebody" in done.findings[0].message
    assert ".spec.replicas" in done.findings[0].message
    assert standing.get(key.path)["spec"]["replicas"] == 0


async def test_a_server_that_another_scaler_has_as_its_target_is_left_alone(
    standing: ApiServer, applier: Applier
) -> None:
    (node, *_) = SCALED.node_names()
    await applier.apply(asked(SCALED, node))
    key = server_key(SCALED, node)
    target = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": node}
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "by-cpu", "namespace": key.namespace},
        "spec": {"scaleTargetRef": target, "maxReplicas": 3},
    }
    standing.create(autoscaler)
    version = standing.get(key.path)["metadata"]["generation"]
    done = await applier.apply(asked(SCALED, node, settings=SETTINGS.model_copy(update={"image": "newer"})))
    assert told(done.findings) == [("GW2132", str(key))]
    assert standing.get(key.path)["metadata"]["generation"] == version
    gone = await applier.apply(asked(SCALED))
    assert key not in gone.removed
    standing.delete(autoscaler)


async def test_an_object_of_somebody_else_is_neither_written_nor_deleted(standing: ApiServer, applier: Applier) -> None:
    (node, other, _) = FOREIGN.node_names()
    await applier.apply(asked(FOREIGN))
    (manifest,) = (each for each in asked(FOREIGN, node) if each["kind"] == "StatefulSet")
    theirs = {**manifest, "metadata": {"name": node, "namespace": manifest["metadata"]["namespace"]}}
    standing.create(theirs)
    done = await applier.apply(asked(FOREIGN, node, other))
    key = server_key(FOREIGN, node)
    assert told(done.findings) == [("GW2137", str(key))]
    assert server_key(FOREIGN, other) in done.written
    await applier.apply(asked(FOREIGN))
    assert "gridwright.dev/content" not in standing.get(key.path)["metadata"].get("annotations", {})
    standing.delete(theirs)


async def test_a_quota_that_is_used_up_is_told(standing: ApiServer, applier: Applier) -> None:
    (first, second, _) = BOUNDED.node_names()
    await applier.apply(asked(BOUNDED))
    quota: Manifest = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "one-server", "namespace": namespace_of(BOUNDED.name)},
        "spec": {"hard": {"count/statefulsets.apps": "1"}},
    }
    standing.create(quota)
    path = f"/api/v1/namespaces/{namespace_of(BOUNDED.name)}/resourcequotas/one-server"
    eventually(lambda: "hard" in standing.get(path).get("status", {}))
    done = await applier.apply(asked(BOUNDED, first, second))
    ((number, _),) = told(done.findings)
    assert number == "GW2133"
    assert "one-server" in done.findings[0].message


@contextmanager
def ending(cluster: ApiServer, pool: Any, node: str) -> Iterator[None]:
    """Have the pod of a server end, and be there until the block is left, so that no other of its pool may go."""
    path = f"/api/v1/namespaces/{namespace_of(pool.name)}/pods/{server_key(pool, node).name}-0"
    cluster.patch(path, {"metadata": {"finalizers": ["gridwright.dev/held-by-a-test"]}})
    cluster.delete(cluster.get(path))
    eventually(lambda: budget(cluster, pool)["disruptionsAllowed"] == 0)
    yield
    cluster.patch(path, {"metadata": {"finalizers": None}})


async def test_a_server_stays_while_the_budget_of_its_pool_is_against_its_end(
    standing: ApiServer, applier: Applier
) -> None:
    (first, second, third) = FRAIL.node_names()
    await applier.apply(asked(FRAIL, first, second, third))
    eventually(lambda: lets_one_go(standing, FRAIL, of=3))
    with ending(standing, FRAIL, second):
        done = await applier.apply(asked(FRAIL, first))
        assert done.removed == (server_key(FRAIL, second),)
        assert told(done.findings) == [("GW2134", str(server_key(FRAIL, third)))]
        assert sorted(pods(standing, FRAIL)) == [first, second, third]
    eventually(lambda: lets_one_go(standing, FRAIL, of=2))
    assert (await applier.apply(asked(FRAIL, first))).removed == (server_key(FRAIL, third),)


async def test_a_pool_that_is_gone_keeps_its_budget_until_its_last_server_is(
    standing: ApiServer, applier: Applier
) -> None:
    first, second = STILL.node_names()[:2]
    await applier.apply(asked(STILL, first, second))
    eventually(lambda: lets_one_go(standing, STILL, of=2))
    rest = (priority(),)
    with ending(standing, STILL, second):
        done = await applier.apply(rest)
        assert done.removed == (server_key(STILL, second),)
        assert told(done.findings) == [("GW2134", str(server_key(STILL, first)))]
    eventually(lambda: lets_one_go(standing, STILL, of=1))
    last = {each.kind for each in (await applier.apply(rest)).removed}
    assert last == {"StatefulSet", "Service", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy"}
    assert standing.is_served(f"/api/v1/namespaces/{namespace_of(STILL.name)}")


def is_seen_as_outdated(of: Manifest) -> bool:
    """Whether Kubernetes has looked at a StatefulSet as it is now, and its pod is not of that."""
    status = of["status"]
    return status.get("observedGeneration") == of["metadata"]["generation"] and not status.get("updatedReplicas", 0)


async def test_new_settings_restart_no_server_that_serves(standing: ApiServer, applier: Applier) -> None:
    (node, *_) = STEADY.node_names()
    await applier.apply(asked(STEADY, node))
    eventually(lambda: is_ready(pods(standing, STEADY).get(node, {})))
    before = pods(standing, STEADY)[node]["metadata"]["uid"]
    newer = asked(STEADY, node, settings=SETTINGS.model_copy(update={"image": "newer"}))
    assert server_key(STEADY, node) in (await applier.apply(newer)).written
    eventually(lambda: is_seen_as_outdated(standing.get(server_key(STEADY, node).path)))
    assert told((await applier.apply(newer)).findings) == [("GW2138", str(server_key(STEADY, node)))]
    assert pods(standing, STEADY)[node]["metadata"]["uid"] == before


async def test_every_kind_that_is_written_is_one_that_the_server_has(by: Calls) -> None:
    for resource in KINDS.values():
        await by.get(resource.path())
