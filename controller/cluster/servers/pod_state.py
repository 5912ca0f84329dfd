"""What the pod of a server tells: where it is reached, whether it is ready, and what holds it up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Object = Mapping[str, Any]

_STARTING: Final = frozenset({"ContainerCreating", "PodInitializing"})


@dataclass(frozen=True, slots=True)
class PodState:
    """A pod: `address` is its IP, empty while it has none; `why` is what holds it up, empty when it is ready."""

    address: str
    is_ready: bool
    why: str


def pod_state(pod: Object) -> PodState:
    """The state of a pod as the API server has it."""
    status = pod.get("status", {})
    if "deletionTimestamp" in pod["metadata"]:
        return PodState("", is_ready=False, why="its pod of before is about to end")
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    if conditions.get("Ready", {}).get("status") == "True" and status.get("podIP"):
        return PodState(status["podIP"], is_ready=True, why="")
    why = next(_reasons(status, conditions), "its pod is not ready yet")
    return PodState(status.get("podIP", ""), is_ready=False, why=why)


def _reasons(status: Object, conditions: Mapping[str, Object]) -> Iterator[str]:
    """What is in the way, the first thing first."""
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        yield f"its pod finds no room: {scheduled.get('message') or scheduled.get('reason', '')}"
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting and waiting.get("reason") not in _STARTING:
            yield ": ".join(filter(None, (str(waiting.get("reason", "")), str(waiting.get("message", "")))))
    if status.get("reason"):
        yield f"{status['reason']}: {status.get('message', '')}"
