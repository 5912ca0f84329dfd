"""What is read out of a pod, and which actions servers are needed for."""

from typing import Any

import pytest

from controller.actions import SetLoad, SetRoutes, Unload
from controller.cluster.servers.pod_state import PodState, pod_state
from controller.cluster.servers.serving import ServersActuator, reached
from controller.cluster.servers.settings import ServerSettings
from controller.fleet import Load
from rules.kernel.problem import Placement

READY = {"type": "Ready", "status": "True"}
MODEL = Placement("model", "fp16", "edge")


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a-0", "uid": "made"}, "status": status}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


def test_a_ready_pod_is_reached_at_its_address() -> None:
    assert pod_state(pod(conditions=[READY], podIP="10.0.0.7")) == PodState(
        "10.0.0.7", is_ready=True, why="", process="made/0"
    )
    assert reached("10.0.0.7").grpc == "10.0.0.7:8001"
    assert reached("fd00::7").metrics == "http://[fd00::7]:8002/metrics"


def test_a_pod_that_is_about_to_end_is_not_the_server_that_is_waited_for() -> None:
    ending = pod(conditions=[READY], podIP="10.0.0.7")
    ending["metadata"]["deletionTimestamp"] = "2026-05-04T12:00:00Z"
    assert pod_state(ending) == PodState("", is_ready=False, why="its pod of before is about to end")


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({}, "its pod is not ready yet"),
        ({"containerStatuses": [waiting("ContainerCreating")]}, "its pod is not ready yet"),
        ({"containerStatuses": [waiting("ImagePullBackOff", "no such image")]}, "ImagePullBackOff: no such image"),
        ({"containerStatuses": [waiting("CrashLoopBackOff")]}, "CrashLoopBackOff"),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "Insufficient cpu"}]},
            "its pod finds no room: Insufficient cpu",
        ),
        ({"reason": "Evicted", "message": "low on memory"}, "Evicted: low on memory"),
    ],
)
def test_what_holds_a_pod_up_is_told(status: dict[str, Any], why: str) -> None:
    assert pod_state(pod(**status)) == PodState("", is_ready=False, why=why, process="made/0")


def test_a_container_that_was_started_anew_is_another_process() -> None:
    before, now = (pod_state(pod(containerStatuses=[{"restartCount": count}])).process for count in (0, 1))
    assert before != now


def test_loads_that_name_a_node_are_taken_and_nothing_else() -> None:
    settings = ServerSettings.model_validate({"image": "a", "repository": {"claim": "m"}, "devices": {}})
    actuator = ServersActuator(None, None, settings, None)  # type: ignore[arg-type] -- nothing is called
    assert actuator.handles(SetLoad(Load(MODEL, 1, 1, 0, "a")))
    assert actuator.handles(Unload(MODEL, "a"))
    assert not actuator.handles(Unload(MODEL))
    assert not actuator.handles(SetRoutes(()))
