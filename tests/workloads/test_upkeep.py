"""Which servers of a cluster stay: those that are planned with, hold something, or have not been silent for long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from collectors.snapshot import (
    Inventory,
    InventoryNode,
    LoadedModel,
    ModelState,
    Presence,
    Reading,
    Server,
    ServerState,
    Snapshot,
)
from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.store import Name
from controller.cluster.names import MANAGED_BY, MANAGER, NODE, POOL
from controller.cluster.servers.applying import Applier
from controller.cluster.servers.door import Door
from controller.cluster.servers.pod_state import PodState
from controller.cluster.servers.pods import ServerAddresses, ServerPod, late_servers, on_machines, server_pod
from controller.cluster.servers.serving import reached
from controller.cluster.servers.settings import ServerSettings
from controller.cluster.servers.upkeep import ClusterUpkeep, Kept, in_use, silent
from controller.fleet import Fleet, Load
from rules.kernel.problem import Placement
from tests.acting.world import world

NOW = datetime(2026, 11, 27, tzinfo=UTC)
LOADED = Placement("model", "fp32", "edge")


def server(node: str, *states: ModelState) -> Server:
    models = tuple(LoadedModel("model", "fp32", state, 1, 1, 0) for state in states)
    return Server("edge", Reading(ServerState(models), NOW, "triton"), node)


def away(node: str) -> Server:
    return Server("edge", Reading(None, None, "triton"), node)


def seen(*servers: Server, nodes: tuple[InventoryNode, ...]) -> Snapshot:
    inventory = Inventory("edge", Reading(nodes, NOW, "kubernetes"))
    return Snapshot(NOW, servers=servers, inventory=(inventory,))


@pytest.mark.parametrize(
    ("state", "stays"), [(ModelState.READY, True), (ModelState.LOADING, True), (ModelState.UNAVAILABLE, False)]
)
def test_a_server_stays_while_it_holds_something(state: ModelState, *, stays: bool) -> None:
    used = in_use(Fleet(), seen(server("a", state), nodes=(InventoryNode("a", server=Presence.READY),)), ())
    assert ("a" in used.get("edge", ())) is stays


def test_a_server_stays_while_it_is_planned_with() -> None:
    planned = Fleet((Load(LOADED, 1, 1, 0, "b"),))
    assert in_use(planned, seen(server("a"), nodes=(InventoryNode("a", server=Presence.READY),)), ()) == {"edge": {"b"}}


def test_what_a_closed_node_or_one_of_another_pool_holds_keeps_no_server_there() -> None:
    closed = InventoryNode("a", against=("cordoned",), server=Presence.READY)
    holding = server("a", ModelState.READY), server("gone", ModelState.READY)
    assert in_use(Fleet(), seen(*holding, nodes=(closed,)), ()) == {}
    planned = Fleet((Load(LOADED, 1, 1, 0, "a"),))
    assert in_use(planned, seen(*holding, nodes=(closed,)), ()) == {"edge": {"a"}}


def test_a_server_that_nobody_looked_at_stays() -> None:
    assert in_use(Fleet(), seen(nodes=(InventoryNode("a", server=Presence.READY),)), ()) == {"edge": {"a"}}
    assert in_use(Fleet(), seen(nodes=(InventoryNode("a", server=Presence.STARTING),)), ()) == {}


@pytest.mark.parametrize("presence", [Presence.STARTING, Presence.READY])
def test_a_server_on_a_node_that_is_cut_off_stays(presence: Presence) -> None:
    cut_off = InventoryNode("a", is_ready=False, server=presence)
    assert in_use(Fleet(), seen(away("a"), nodes=(cut_off,)), ()) == {"edge": {"a"}}


def test_a_silent_server_is_counted_from_when_it_fell_silent_and_anew_after_it_answered() -> None:
    later = NOW + timedelta(seconds=5)
    first = silent({}, Snapshot(NOW, servers=(away("a"),)))
    assert silent(first, Snapshot(later, servers=(away("a"), away("b")))) == {("edge", "a"): NOW, ("edge", "b"): later}
    answered = silent(first, Snapshot(later, servers=(server("a"),)))
    assert answered == {}
    assert silent(answered, Snapshot(later, servers=(away("a"),))) == {("edge", "a"): later}


def test_silence_lasts_no_longer_because_the_clock_was_set_back() -> None:
    ahead = silent({}, Snapshot(NOW + timedelta(days=14), servers=(away("a"),)))
    assert silent(ahead, Snapshot(NOW, servers=(away("a"),))) == {("edge", "a"): NOW}


def test_what_was_asked_by_a_clock_that_ran_ahead_is_asked_again() -> None:
    ahead = Kept((), {}, removes=False, at=NOW + timedelta(days=14), told=())
    assert ahead.still(replace(ahead, at=ahead.at + timedelta(seconds=5)))
    assert not ahead.still(replace(ahead, at=NOW))


def test_a_server_that_is_waited_for_stays() -> None:
    snapshot = seen(away("a"), nodes=(InventoryNode("a", server=Presence.READY),))
    assert in_use(Fleet(), snapshot, [("edge", "a")]) == {"edge": {"a"}}
    assert in_use(Fleet(), snapshot, ()) == {}


def test_a_server_is_told_of_once_it_is_ready_or_late() -> None:
    pods = {
        Name("gridwright-edge", name): ServerPod("edge", name, made, state)
        for name, made, state in (
            ("ready", NOW, PodState("10.0.0.1", is_ready=True, why="")),
            ("starting", NOW, PodState("10.0.0.2", is_ready=False, why="pulling")),
            ("late", NOW - timedelta(seconds=600), PodState("10.0.0.3", is_ready=False, why="crashing")),
            ("nowhere", NOW - timedelta(seconds=600), PodState("", is_ready=False, why="pending")),
        )
    }
    addresses = ServerAddresses(lambda: pods, 600, reached, lambda: NOW)
    assert addresses.now() == {("edge", "ready"): reached("10.0.0.1"), ("edge", "late"): reached("10.0.0.3")}


def test_a_server_of_the_machine_that_its_node_was_before_is_nowhere_and_is_to_go() -> None:
    state = PodState("10.0.0.1", is_ready=True, why="", bound=NOW)
    pods = {Name("gridwright-edge", name): ServerPod("edge", name, NOW, state) for name in ("kept", "replaced")}
    joined = {"kept": NOW, "replaced": NOW + timedelta(seconds=1)}
    now = on_machines(pods, joined.get)
    assert [each.node for each in now.values() if each.is_of_before] == ["replaced"]
    addresses = ServerAddresses(lambda: now, 600, reached, lambda: NOW + timedelta(seconds=600))
    assert addresses.now() == {("edge", "kept"): reached("10.0.0.1")}
    assert on_machines(pods, lambda _: None) == pods


def pod(node: str, age_s: int, *, bound: bool = True, **told: Any) -> dict[str, Any]:
    """A pod of a server as the API server has it."""
    metadata = {
        "name": f"{node}-0",
        "namespace": "gridwright-edge",
        "labels": {POOL: "edge", MANAGED_BY: MANAGER},
        "annotations": {NODE: node},
        "creationTimestamp": (NOW - timedelta(seconds=age_s)).isoformat(),
    }
    if told.pop("ends", False):
        metadata["deletionTimestamp"] = NOW.isoformat()
    return {"metadata": metadata, "spec": {"nodeName": node} if bound else {}, "status": told}


NO_ROOM = [{"type": "PodScheduled", "status": "False", "message": "Insufficient cpu"}]
READY = [{"type": "Ready", "status": "True"}]
PULLS = [{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]
PODS = {
    Name("gridwright-edge", node): found
    for node, each in {
        "ready": pod("ready", 601, conditions=READY, podIP="10.0.0.1"),
        "young": pod("young", 599, containerStatuses=PULLS),
        "ends": pod("ends", 601, ends=True),
        "pulls": pod("pulls", 601, containerStatuses=PULLS),
        "no-room": pod("no-room", 601, bound=False, conditions=NO_ROOM),
    }.items()
    if (found := server_pod(each))
}


def test_a_server_that_is_not_ready_in_time_is_told_with_what_holds_it_up() -> None:
    told = {each.subject: each for each in late_servers(PODS, 600, NOW)}
    assert {each.id for each in told.values()} == {"GW2135"}
    assert {node: each.message for node, each in told.items()} == {
        "node pulls of pool edge": "not ready, and made more than 600 s ago: ImagePullBackOff: no such image",
        "node no-room of pool edge": "not ready, and made more than 600 s ago: its pod finds no room: Insufficient cpu",
    }


def test_a_pod_elsewhere_with_our_labels_is_no_server() -> None:
    stranger = pod("ready", 601, conditions=READY, podIP="10.0.0.9")
    stranger["metadata"]["namespace"] = "dev"
    assert server_pod(stranger) is None


async def test_late_servers_are_told_of_though_the_api_server_refuses_everything() -> None:
    settings = ServerSettings.model_validate(
        {"image": "triton", "repository": {"url": "s3://models"}, "devices": {}, "startS": 600}
    )
    refuses = httpx.MockTransport(lambda _: httpx.Response(403, json={"reason": "Forbidden"}))
    async with httpx.AsyncClient(transport=refuses, base_url="https://cluster") as asked:
        upkeep = ClusterUpkeep(Applier(Calls(asked)), Door(Calls(asked)), settings, tuple, lambda: PODS)
        told = await upkeep.keep(world(), Fleet(), Snapshot(NOW), is_reached=True)
    assert [each.id for each in told] == ["GW2136", "GW2135", "GW2135", "GW2136"]


async def test_objects_are_looked_at_again_once_something_else_is_wanted_or_a_minute_has_passed() -> None:
    settings = ServerSettings.model_validate({"image": "triton", "repository": {"url": "s3://models"}, "devices": {}})
    lists: list[str] = []

    def answered(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/gridwright-servers") and request.method == "GET":
            return httpx.Response(404, json={"reason": "NotFound"})
        if request.method == "GET":
            lists.append(request.url.path)
            return httpx.Response(200, json={"metadata": {}, "items": []})
        return httpx.Response(200, json={"metadata": {"name": "gridwright-servers", "uid": "1"}})

    def snapshot(after_s: float, *nodes: InventoryNode) -> Snapshot:
        return replace(seen(nodes=nodes), at=NOW + timedelta(seconds=after_s))

    cut_off = InventoryNode("a", is_ready=False, server=Presence.READY)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answered), base_url="https://cluster") as asked:
        upkeep = ClusterUpkeep(Applier(Calls(asked)), Door(Calls(asked)), settings, tuple, dict)
        has_looked = []
        for each in (
            snapshot(0),
            snapshot(10),
            snapshot(59),
            snapshot(60),
            snapshot(70, cut_off),
            snapshot(80, cut_off),
        ):
            lists.clear()
            assert await upkeep.keep(world(), Fleet(), each, is_reached=False) == ()
            has_looked.append(bool(lists))
    assert has_looked == [True, False, False, True, True, False]


async def test_what_is_admitted_stays_as_it_is_while_it_is_not_seen_what_nodes_there_are() -> None:
    settings = ServerSettings.model_validate({"image": "triton", "repository": {"url": "s3://models"}, "devices": {}})
    written: list[str] = []

    def answered(request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            written.append(request.url.path.rpartition("/")[2])
        return httpx.Response(200, json={"metadata": {"name": "any", "uid": "1"}, "items": []})

    policy = world()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answered), base_url="https://cluster") as asked:
        upkeep = ClusterUpkeep(Applier(Calls(asked)), Door(Calls(asked)), settings, lambda: policy.pools, dict)
        await upkeep.keep(policy, Fleet(), Snapshot(NOW), is_reached=True)
        assert "gridwright-servers" not in written
        await upkeep.keep(policy, Fleet(), seen(nodes=()), is_reached=True)
        assert "gridwright-servers" in written
