"""What the pod of a server tells: where it is reached, whether it is ready, and what holds it up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

Object = Mapping[str, Any]

_STARTING: Final = frozenset({"ContainerCreating", "PodInitializing"})


@dataclass(frozen=True, slots=True)
class PodState:
    """A pod: `address` is its IP, empty while it has none; `why` is what holds it up, empty when it is ready.

    `bound` is when it came to its node, None before. `process` is another one whenever its Triton was started anew.
    """

    address: str
    is_ready: bool
    why: str
    bound: datetime | None = None
    process: str = ""


def pod_state(pod: Object) -> PodState:
    """The state of a pod as the API server has it."""
    status = pod.get("status", {})
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    bound, process = _bound(conditions.get("PodScheduled", {})), _process(pod)
    if "deletionTimestamp" in pod["metadata"]:
        return PodState("", is_ready=False, why="its pod of before is about to end", bound=bound)
    if conditions.get("Ready", {}).get("status") == "True" and status.get("podIP"):
        return PodState(status["podIP"], is_ready=True, why="", bound=bound, process=process)
    why = next(_reasons(status, conditions), "its pod is not ready yet")
    return PodState(status.get("podIP", ""), is_ready=False, why=why, bound=bound, process=process)


def is_before(bound: datetime | None, node_made: datetime | None) -> bool:
    """Whether a pod came to another machine, which its node has replaced under the same name since.

    Both instants are whole seconds by the API server's clock.
    """
    return bound is not None and node_made is not None and bound < node_made


def on_its_machine(state: PodState, node_made: datetime | None) -> PodState:
    """What a pod is on the node that there is now: one of the machine before has neither an address nor a future."""
    if not is_before(state.bound, node_made):
        return state
    return PodState("", is_ready=False, why="its pod is of the machine that its node was before", bound=state.bound)


def _process(pod: Object) -> str:
    restarts = sum(each.get("restartCount", 0) for each in pod.get("status", {}).get("containerStatuses", ()))
    return f"{pod['metadata'].get('uid', '')}/{restarts}"


def _bound(scheduled: Object) -> datetime | None:
    at = scheduled.get("lastTransitionTime") if scheduled.get("status") == "True" else None
    return datetime.fromisoformat(at) if at else None


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
