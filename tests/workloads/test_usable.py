"""Which nodes of a pool may have servers, by what the objects of a cluster say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors.snapshot import InventoryNode, Presence
from controller.cluster.api_server.store import Name
from controller.cluster.inventory.catalogue import closed, other_number, undeclared
from controller.cluster.inventory.quantities import count
from controller.cluster.inventory.seen import (
    RACK,
    SHARING,
    SPOT,
    ZONE,
    NodeSeen,
    PodSeen,
    QuotaSeen,
    Taint,
    node_seen,
    pod_seen,
    quota_seen,
)
from controller.cluster.inventory.usable import Seen, strangers, usable
from controller.cluster.names import MANAGED_BY, MANAGER, NODE, POOL, namespace_of
from policy.findings import Level, Place
from policy.resolved import Pool, Purchase

GPU = "nvidia.com/gpu"
MADE = datetime(2026, 11, 27, tzinfo=UTC)
CARDS = Pool("edge", "paris", "card", 2, 8_000, 1_000, 10, Purchase.OWNED, Place("fleet.yaml", 7, 1))
GOOD = NodeSeen("edge", is_ready=True, devices=((GPU, 1),))


def against(
    node: NodeSeen = GOOD, pool: Pool = CARDS, pods: tuple[PodSeen, ...] = (), resource: str | None = GPU
) -> tuple[str, ...]:
    """What is against a node of the pool, called `a`."""
    numbered = {Name("x", str(index)): pod for index, pod in enumerate(pods)}
    (found,) = usable([pool], Seen({Name("", "a"): node}, numbered, {}, {"card": resource}))["edge"]
    return found.against


@pytest.mark.parametrize(
    ("node", "told"),
    [
        (GOOD, ()),
        (replace(GOOD, is_cordoned=True), ("cordoned",)),
        (
            replace(GOOD, taints=(Taint("karpenter.sh/disrupted", "", "NoSchedule"),)),
            ("taint karpenter.sh/disrupted:NoSchedule",),
        ),
        (replace(GOOD, taints=(Taint(POOL, "other", "NoSchedule"),)), (f"taint {POOL}=other:NoSchedule",)),
        (replace(GOOD, taints=(Taint(POOL, "edge", "NoSchedule"), Taint(GPU, "x", "NoExecute"))), ()),
        (
            replace(GOOD, is_ready=False, taints=(Taint("node.kubernetes.io/not-ready", "", "NoExecute"),)),
            (),
        ),
        (
            replace(GOOD, spot="karpenter.sh/capacity-type=spot"),
            ("preemptible by karpenter.sh/capacity-type=spot in a pool that is not",),
        ),
        (replace(GOOD, devices=()), ("no nvidia.com/gpu",)),
    ],
)
def test_what_a_node_says_decides(node: NodeSeen, told: tuple[str, ...]) -> None:
    assert against(node) == told


def test_a_preemptible_node_may_be_of_a_spot_pool() -> None:
    assert against(replace(GOOD, spot="x=y"), replace(CARDS, purchase=Purchase.SPOT)) == ()


def test_a_pool_of_cpus_asks_for_no_device() -> None:
    assert against(replace(GOOD, devices=()), resource=None) == ()


def test_devices_that_others_have_are_taken() -> None:
    theirs, ours = (
        PodSeen("a", ((GPU, 1),), is_ours=False, since=MADE),
        PodSeen("a", ((GPU, 1),), is_ours=True, since=MADE),
    )
    elsewhere = PodSeen("b", ((GPU, 1),), is_ours=False, since=MADE)
    slice_of = PodSeen("a", (("nvidia.com/mig-1g.10gb", 1),), is_ours=False, since=MADE)
    two = replace(GOOD, devices=((GPU, 2),))
    assert against(pods=(theirs,)) == ("nvidia.com/gpu taken by others",)
    assert against(pods=(ours, elsewhere, slice_of)) == ()
    assert against(two, pods=(theirs,)) == ()
    assert against(two, pods=(theirs, theirs)) == ("nvidia.com/gpu taken by others",)
    assert against(replace(two, is_shared=True), pods=(theirs,)) == ("nvidia.com/gpu shared with others",)
    assert against(replace(two, is_shared=True), pods=(ours,)) == ()


def within(hard: int, used: int, *ours: str, resource: str = f"requests.{GPU}", space: str = "") -> dict[str, bool]:
    """Of three nodes, of which the last is cordoned, which are open under a quota."""
    nodes = {Name("", name): replace(GOOD, is_cordoned=name == "c") for name in "abc"}
    pods = {Name("x", name): PodSeen(name, ((GPU, 1),), is_ours=True, since=MADE) for name in ours}
    quotas = {Name(space or namespace_of("edge"), "gpus"): QuotaSeen(((resource, hard, used),))}
    return {node.name: not node.against for node in usable([CARDS], Seen(nodes, pods, quotas, {"card": GPU}))["edge"]}


def test_a_server_that_has_not_been_ready_for_long_closes_its_node() -> None:
    nodes, late = {Name("", "a"): GOOD}, MADE + timedelta(seconds=600)
    starting = PodSeen("a", ((GPU, 1),), is_ours=True, since=MADE)

    def told(pod: PodSeen, before: datetime) -> InventoryNode:
        return usable([CARDS], Seen(nodes, {Name("x", "a"): pod}, {}, {"card": GPU}, before))["edge"][0]

    assert told(starting, late).against == ("its server is not ready in time",)
    assert told(starting, MADE - timedelta(seconds=1)) == InventoryNode("a", server=Presence.STARTING)
    assert told(replace(starting, is_ready=True), late) == InventoryNode("a", server=Presence.READY)


def test_a_node_that_is_not_ready_is_told_and_not_closed() -> None:
    (node,) = usable([CARDS], Seen({Name("", "a"): replace(GOOD, is_ready=False)}, {}, {}, {"card": GPU}))["edge"]
    assert (node.is_ready, node.against) == (False, ())


def test_a_quota_closes_what_it_leaves_no_room_for_and_servers_last() -> None:
    assert within(2, 0) == {"a": True, "b": True, "c": False}
    assert within(1, 0) == {"a": True, "b": False, "c": False}
    assert within(1, 1, "b") == {"a": False, "b": True, "c": False}
    assert within(2, 2, "b") == {"a": False, "b": True, "c": False}
    assert within(0, 0, resource="pods") == {"a": False, "b": False, "c": False}
    assert within(0, 0, resource="secrets") == {"a": True, "b": True, "c": False}
    assert within(0, 0, space="elsewhere") == {"a": True, "b": True, "c": False}


def test_nodes_of_a_pool_are_told_in_the_order_of_their_names_and_others_are_strangers() -> None:
    nodes = {Name("", name): replace(GOOD, pool=pool) for name, pool in (("b", "edge"), ("a", "edge"), ("c", "egde"))}
    assert [node.name for node in usable([CARDS], Seen(nodes, {}, {}, {}))["edge"]] == ["a", "b"]
    assert strangers([CARDS], nodes) == {"egde": 1}


def node(**labels: str) -> dict[str, Any]:
    """A node of the pool, as the API server has it."""
    taints = [
        {"key": "soft", "effect": "PreferNoSchedule"},
        {"key": "hard", "value": "x", "effect": "NoExecute"},
    ]
    conditions = [{"type": "DiskPressure", "status": "False"}, {"type": "Ready", "status": "True"}]
    allocatable = {"cpu": "4", "memory": "1Gi", "nvidia.com/mig-1g.10gb": "7", "hugepages-2Mi": "0", "x.k8s.io/y": "3"}
    return {
        "metadata": {"name": "a", "labels": {POOL: "edge", **labels}},
        "spec": {"taints": taints},
        "status": {"conditions": conditions, "allocatable": allocatable},
    }


def test_of_a_node_is_kept_what_decides() -> None:
    told = node(**{ZONE: "z1", RACK: "r1", SHARING: "time-slicing", "eks.amazonaws.com/capacityType": "SPOT"})
    assert node_seen(told) == NodeSeen(
        "edge",
        is_ready=True,
        taints=(Taint("hard", "x", "NoExecute"),),
        devices=(("nvidia.com/mig-1g.10gb", 7),),
        zone="z1",
        rack="r1",
        spot="eks.amazonaws.com/capacityType=SPOT",
        is_shared=True,
    )
    assert node_seen(node()).spot == ""
    assert [node_seen(node(**{key: value})).spot for key, value in SPOT] == [f"{key}={value}" for key, value in SPOT]


def test_a_node_that_does_not_say_that_it_is_ready_is_not() -> None:
    assert not node_seen({**node(), "status": {}}).is_ready
    assert node_seen({**node(), "spec": {"unschedulable": True}}).is_cordoned


def pod(
    limits: dict[str, str],
    *,
    at: str = "a",
    phase: str = "Running",
    ours: bool = False,
    namespace: str = "gridwright-edge",
) -> PodSeen | None:
    """What is kept of a pod of two containers."""
    containers = [{"resources": {"limits": limits}}, {"resources": {"limits": limits}}]
    labels = {MANAGED_BY: "gridwright", POOL: "edge"} if ours else {}
    metadata = {"name": "p", "namespace": namespace, "labels": labels, "creationTimestamp": MADE.isoformat()}
    spec = {"nodeName": at, "containers": containers}
    return pod_seen({"metadata": {**metadata, "annotations": {NODE: "b"}}, "spec": spec, "status": {"phase": phase}})


def test_of_pods_those_are_kept_that_have_a_device_or_are_ours() -> None:
    assert pod({GPU: "1", "cpu": "1"}) == PodSeen("a", ((GPU, 2),), is_ours=False, since=MADE)
    assert pod({"cpu": "1"}) is None
    assert pod({"cpu": "1"}, ours=True) == PodSeen("a", (), is_ours=True, since=MADE)
    assert pod({"cpu": "1"}, ours=True, at="") == PodSeen("b", (), is_ours=True, since=MADE, is_bound=False)
    assert pod({"cpu": "1"}, ours=True, namespace="elsewhere") is None
    assert pod({GPU: "1"}, at="") is None
    assert pod({GPU: "1"}, phase="Succeeded") is None


def test_of_a_quota_is_kept_what_there_is_and_what_is_used() -> None:
    status = {"hard": {"pods": "2k", "requests.cpu": "1500m"}, "used": {"pods": "3"}}
    assert quota_seen({"status": status}) == QuotaSeen((("pods", 2000, 3), ("requests.cpu", 1, 0)))


@pytest.mark.parametrize(
    ("quantity", "whole"),
    [
        ("4", 4),
        ("1500m", 1),
        ("2k", 2000),
        ("1Ki", 1024),
        ("1e3", 1000),
        ("1.5", 1),
        ("1E", 10**18),
        (3, 3),
        ("-1", -1),
    ],
)
def test_quantities_are_counted(quantity: str | int, whole: int) -> None:
    assert count(quantity) == whole


@pytest.mark.parametrize("quantity", ["", "x", "1 k", "1kk", "٣"])
def test_what_is_no_quantity_is_refused(quantity: str) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        count(quantity)


def test_findings_name_nodes_and_what_to_do() -> None:
    nodes = {Name("", f"n{index}"): replace(GOOD, is_ready=False) for index in range(7)}
    told = closed(CARDS, usable([CARDS], Seen(nodes, {}, {}, {}))["edge"])
    assert told.id == "GW2111"
    assert "nothing new may stand on 7 nodes: not ready (n0, n1, n2, n3, n4 and 2 more)" in told.message
    fewer, more = other_number(CARDS, 1), other_number(CARDS, 3)
    assert (fewer.level, more.level) == (Level.WARNING, Level.INFO)
    assert "`nodes: 3`" in (more.hint or "")
    assert undeclared("egde", 2).subject == "pool egde"


def test_a_server_that_came_to_the_machine_of_before_is_none_of_the_one_that_joined_since() -> None:
    def presence(bound: datetime | None, joined: datetime | None) -> Presence:
        server = PodSeen("a", (), is_ours=True, since=MADE, is_ready=True, bound=bound)
        node = replace(GOOD, made=joined)
        (found,) = usable([CARDS], Seen({Name("", "a"): node}, {Name("x", "a-0"): server}, {}))["edge"]
        assert found.since == joined
        return found.server

    second = timedelta(seconds=1)
    assert presence(MADE - second, MADE) is Presence.NONE
    assert presence(MADE, MADE) is Presence.READY
    assert presence(None, MADE) is Presence.READY
    assert presence(MADE, None) is Presence.READY


def test_of_a_pod_that_no_node_has_yet_there_is_nothing() -> None:
    waits = PodSeen("a", (), is_ours=True, since=MADE, is_bound=False)
    (found,) = usable([CARDS], Seen({Name("", "a"): GOOD}, {Name("x", "a-0"): waits}, {}))["edge"]
    assert found.server is Presence.NONE


def test_when_a_node_joined_and_when_a_pod_came_to_it_is_kept() -> None:
    at = MADE.isoformat()
    labels = {POOL: "edge"}
    assert node_seen({"metadata": {"name": "a", "labels": labels, "creationTimestamp": at}}).made == MADE
    bound = {"type": "PodScheduled", "status": "True", "lastTransitionTime": at}
    ours = {
        "metadata": {
            "name": "a-0",
            "namespace": namespace_of("edge"),
            "labels": {**labels, MANAGED_BY: MANAGER},
            "creationTimestamp": at,
        },
        "spec": {"nodeName": "a"},
    }
    for status, expected in (({"conditions": [bound]}, MADE), ({"conditions": [{**bound, "status": "False"}]}, None)):
        kept = pod_seen({**ours, "status": status})
        assert kept is not None
        assert kept.bound == expected
