"""Which servers of a cluster stay: those that are planned with, hold something, or have not been silent for long."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from collectors.snapshot import LoadedModel, ModelState, Reading, Server, ServerState, Snapshot
from controller.cluster.applying import Applier
from controller.cluster.calls import Calls
from controller.cluster.names import NODE, POOL
from controller.cluster.pod_state import PodState
from controller.cluster.server_pods import ServerAddresses, ServerPod, late_servers, server_pod
from controller.cluster.server_settings import ServerSettings
from controller.cluster.serving import reached
from controller.cluster.store import Name
from controller.cluster.upkeep import ClusterUpkeep, in_use, silent
from controller.fleet import Fleet, Load
from rules.kernel.problem import Placement

NOW = datetime(2026, 11, 27, tzinfo=UTC)
LOADED = Placement("model", "fp32", "edge")


def server(node: str, *states: ModelState) -> Server:
    models = tuple(LoadedModel("model", "fp32", state, 1, 1, 0) for state in states)
    return Server("edge", Reading(ServerState(models), NOW, "triton"), node)


def away(node: str) -> Server:
    return Server("edge", Reading(None, None, "triton"), node)


@pytest.mark.parametrize(
    ("state", "stays"), [(ModelState.READY, True), (ModelState.LOADING, True), (ModelState.UNAVAILABLE, False)]
)
def test_a_server_stays_while_it_holds_something(state: ModelState, *, stays: bool) -> None:
    used = in_use(Fleet(), Snapshot(NOW, servers=(server("a", state),)), ())
    assert ("a" in used.get("edge", ())) is stays


def test_a_server_stays_while_it_is_planned_with() -> None:
    planned = Fleet((Load(LOADED, 1, 1, 0, "b"),))
    assert in_use(planned, Snapshot(NOW, servers=(server("a"),)), ()) == {"edge": {"b"}}


def test_a_silent_server_is_counted_from_when_it_fell_silent_and_anew_after_it_answered() -> None:
    later = NOW + timedelta(seconds=5)
    first = silent({}, Snapshot(NOW, servers=(away("a"),)))
    assert silent(first, Snapshot(later, servers=(away("a"), away("b")))) == {("edge", "a"): NOW, ("edge", "b"): later}
    answered = silent(first, Snapshot(later, servers=(server("a"),)))
    assert answered == {}
    assert silent(answered, Snapshot(later, servers=(away("a"),))) == {("edge", "a"): later}


def test_a_server_that_is_waited_for_stays() -> None:
    assert in_use(Fleet(), Snapshot(NOW, servers=(away("a"),)), [("edge", "a")]) == {"edge": {"a"}}
    assert in_use(Fleet(), Snapshot(NOW, servers=(away("a"),)), ()) == {}


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


def pod(node: str, age_s: int, *, bound: bool = True, **told: Any) -> dict[str, Any]:
    """A pod of a server as the API server has it."""
    metadata = {
        "name": f"{node}-0",
        "namespace": "gridwright-edge",
        "labels": {POOL: "edge"},
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
    Name("gridwright-edge", node): server_pod(each)
    for node, each in {
        "ready": pod("ready", 601, conditions=READY, podIP="10.0.0.1"),
        "young": pod("young", 599, containerStatuses=PULLS),
        "ends": pod("ends", 601, ends=True),
        "pulls": pod("pulls", 601, containerStatuses=PULLS),
        "no-room": pod("no-room", 601, bound=False, conditions=NO_ROOM),
    }.items()
}


def test_a_server_that_is_not_ready_in_time_is_told_with_what_holds_it_up() -> None:
    told = {each.subject: each for each in late_servers(PODS, 600, NOW)}
    assert {each.id for each in told.values()} == {"GW2135"}
    assert {node: each.message for node, each in told.items()} == {
        "node pulls of pool edge": "not ready, and made more than 600 s ago: ImagePullBackOff: no such image",
        "node no-room of pool edge": "not ready, and made more than 600 s ago: its pod finds no room: Insufficient cpu",
    }


async def test_late_servers_are_told_of_though_the_api_server_refuses_everything() -> None:
    settings = ServerSettings.model_validate(
        {"image": "triton", "repository": {"url": "s3://models"}, "devices": {}, "startS": 600}
    )
    refuses = httpx.MockTransport(lambda _: httpx.Response(403, json={"reason": "Forbidden"}))
    async with httpx.AsyncClient(transport=refuses, base_url="https://cluster") as asked:
        upkeep = ClusterUpkeep(Applier(Calls(asked)), settings, tuple, dict, lambda: PODS)
        told = await upkeep.keep(Fleet(), Snapshot(NOW))
    assert [each.id for each in told] == ["GW2135", "GW2135", "GW2136"]
