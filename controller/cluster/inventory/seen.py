"""What is kept of a cluster's nodes, pods and quotas: plain values, and only those that decide where servers stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controller.cluster.api_server.calls import Object
from controller.cluster.api_server.resources import NODES, PODS, QUOTAS
from controller.cluster.api_server.store import Watched
from controller.cluster.inventory.quantities import count
from controller.cluster.names import MANAGED_BY, MANAGER, NODE, POOL, namespace_of
from controller.cluster.servers.pod_state import pod_state

RACK: Final = "gridwright.dev/rack"
ZONE: Final = "topology.kubernetes.io/zone"
SHARING: Final = "nvidia.com/gpu.sharing-strategy"
SPOT: Final = (
    ("cloud.google.com/gke-spot", "true"),
    ("cloud.google.com/gke-preemptible", "true"),
    ("eks.amazonaws.com/capacityType", "SPOT"),
    ("karpenter.sh/capacity-type", "spot"),
    ("kubernetes.azure.com/scalesetpriority", "spot"),
    ("node.kubernetes.io/lifecycle", "spot"),
)
"""The labels by which Google, Amazon, Azure, Karpenter and kops mark nodes that may be taken away."""
KEEPS_OUT: Final = ("NoSchedule", "NoExecute")

Devices = tuple[tuple[str, int], ...]
"""How many of each resource that a vendor names, `nvidia.com/gpu` or `nvidia.com/mig-1g.10gb` among them."""


@dataclass(frozen=True, slots=True)
class Taint:
    """What keeps pods away that do not tolerate it."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        """As `kubectl taint` writes it."""
        return f"{self.key}{f'={self.value}' if self.value else ''}:{self.effect}"


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node of a pool. `spot` is the label that marks it as preemptible, `is_shared` whether its device is divided.

    `made` is when it joined: a machine that replaces another under its name has joined since.
    """

    pool: str
    is_ready: bool
    is_cordoned: bool = False
    taints: tuple[Taint, ...] = ()
    devices: Devices = ()
    zone: str = ""
    rack: str = ""
    spot: str = ""
    is_shared: bool = False
    made: datetime | None = None


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod of a node, and the devices that it has there. One of ours is of its node before it is bound to it.

    `since` is when it became ready, or has not been ready since; `bound` when it came to its node, where that
    is told.
    """

    node: str
    devices: Devices
    is_ours: bool
    since: datetime
    is_ready: bool = False
    is_bound: bool = True
    bound: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuotaSeen:
    """What a namespace may have of a resource, and what is used of it: `(resource, hard, used)`."""

    limits: tuple[tuple[str, int, int], ...]


def node_seen(node: Object) -> NodeSeen:
    """What is kept of a node."""
    labels, status, spec = node["metadata"].get("labels", {}), node.get("status", {}), node.get("spec", {})
    taints = (Taint(each["key"], each.get("value", ""), each["effect"]) for each in spec.get("taints", ()))
    ready = (each["status"] for each in status.get("conditions", ()) if each["type"] == "Ready")
    return NodeSeen(
        pool=labels[POOL],
        is_ready=next(ready, "") == "True",
        is_cordoned=bool(spec.get("unschedulable")),
        taints=tuple(each for each in taints if each.effect in KEEPS_OUT),
        devices=_devices(status.get("allocatable", {})),
        zone=labels.get(ZONE, ""),
        rack=labels.get(RACK, ""),
        spot=next((f"{key}={value}" for key, value in SPOT if labels.get(key) == value), ""),
        is_shared=labels.get(SHARING, "none") != "none",
        made=datetime.fromisoformat(made) if (made := node["metadata"].get("creationTimestamp")) else None,
    )


def pod_seen(pod: Object) -> PodSeen | None:
    """What is kept of a pod: nothing where it neither has a device nor is ours."""
    spec, metadata = pod["spec"], pod["metadata"]
    is_ours = is_server(metadata)
    node = spec.get("nodeName", "") or (metadata.get("annotations", {}).get(NODE, "") if is_ours else "")
    devices: dict[str, int] = {}
    for container in spec.get("containers", ()):
        for name, much in _devices(container.get("resources", {}).get("limits", {})):
            devices[name] = devices.get(name, 0) + much
    is_over = pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}
    if not node or is_over or not (devices or is_ours):
        return None
    ready = (each for each in pod.get("status", {}).get("conditions", ()) if each["type"] == "Ready")
    changed = next((each.get("lastTransitionTime") for each in ready), None) or metadata["creationTimestamp"]
    since = datetime.fromisoformat(changed)
    state = pod_state(pod)
    return PodSeen(
        node, tuple(sorted(devices.items())), is_ours, since, state.is_ready, bool(spec.get("nodeName")), state.bound
    )


def is_server(metadata: Object) -> bool:
    """Whether a pod is the server of a pool: what stands elsewhere may carry any label."""
    labels = metadata.get("labels", {})
    return labels.get(MANAGED_BY) == MANAGER and metadata.get("namespace") == namespace_of(labels.get(POOL, ""))


def quota_seen(quota: Object) -> QuotaSeen:
    """What is kept of a quota, whole numbers rounded down."""
    status = quota.get("status", {})
    hard, used = status.get("hard", quota.get("spec", {}).get("hard", {})), status.get("used", {})
    return QuotaSeen(tuple(sorted((name, count(most), count(used.get(name, "0"))) for name, most in hard.items())))


WATCHED_NODES: Final = Watched(NODES, node_seen, labels=POOL)
WATCHED_PODS: Final = Watched(PODS, pod_seen, fields="status.phase!=Succeeded,status.phase!=Failed")
WATCHED_QUOTAS: Final = Watched(QUOTAS, quota_seen)


def _devices(quantities: Mapping[str, str]) -> Devices:
    own = ("kubernetes.io", "k8s.io")
    named = ((name, much) for name, much in quantities.items() if "/" in name)
    return tuple(sorted((name, count(much)) for name, much in named if not name.partition("/")[0].endswith(own)))
