"""The nodes and pods of Alibaba's openb trace (2023), as packing problems; a pod without a GPU wants no device."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from controller.planning.fleet.devices import DEVICES, SHARE, SHARES, DeviceProblem, Ints

NODES = "openb_node_list_gpu_node.csv"
PODS = "openb_pod_list_{}.csv"
LISTS = ("default", "gpushare60", "gpuspec33", "multigpu50")
POD_WEIGHT = 0.02
"""Of a pod that is left out, beside its GPUs."""
LEFT_OUT = 1_000.0
"""Of any pod, where nodes are counted: more than all nodes that could ever be saved."""
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods in the order of their list, and the nodes for them."""

    name: str
    problem: DeviceProblem
    arrivals: Ints
    """The class of each pod."""


def pod_sets(folder: Path) -> list[Pods]:
    """All pods of each list, and its running ones where it tells phases."""
    nodes, found = _rows(folder / NODES), []
    for name in LISTS:
        pods = _rows(folder / PODS.format(name))
        found.append(pod_set(name, nodes, pods))
        running = [pod for pod in pods if pod.get("pod_phase") == "Running"]
        if running:
            found.append(pod_set(f"{name}, running", nodes, running))
    return found


def pod_set(name: str, nodes: Sequence[Row], pods: Sequence[Row]) -> Pods:
    """Nodes that are alike are one kind, pods that are alike one class; leaving one out costs its GPUs and a little."""
    kinds: dict[tuple[int, int, int, str], int] = {}
    for node in nodes:
        kind = (int(node["cpu_milli"]), int(node["memory_mib"]), int(node["gpu"]), node["model"])
        kinds[kind] = kinds.get(kind, 0) + 1
    numbers: dict[tuple[int, int, int, int, frozenset[str]], int] = {}
    arrivals = np.array([numbers.setdefault(_class(pod), len(numbers)) for pod in pods], np.int64)
    need = np.array([one[:4] for one in numbers], np.int64).reshape(-1, 4)
    most = max(devices for _, _, devices, _ in kinds)
    free = [[cpu, memory] + [SHARES] * devices + [0] * (most - devices) for cpu, memory, devices, _ in kinds]
    problem = DeviceProblem(
        np.array(list(kinds.values()), np.int64),
        np.array(free, np.int64),
        np.zeros(len(kinds)),
        need,
        np.bincount(arrivals, minlength=len(numbers)),
        need[:, DEVICES] * need[:, SHARE] / SHARES + POD_WEIGHT,
        np.array([[not models or model in models for *_, model in kinds] for *_, models in numbers], np.bool_),
    )
    return Pods(name, problem, arrivals)


def counting_nodes(problem: DeviceProblem) -> DeviceProblem:
    """The same with each node in use counted, and every pod to be placed."""
    return problem._replace(
        kind_price=np.ones(problem.kind_nodes.size), class_weight=np.full(problem.class_count.size, LEFT_OUT)
    )


def without_last(pods: Pods, count: int) -> Pods:
    """As many pods fewer; the classes keep their numbers."""
    arrivals = pods.arrivals[:-count]
    counts = np.bincount(arrivals, minlength=pods.problem.class_count.size)
    return Pods(pods.name, pods.problem._replace(class_count=counts), arrivals)


def _class(pod: Row) -> tuple[int, int, int, int, frozenset[str]]:
    models = frozenset(model for model in pod.get("gpu_spec", "").split("|") if model)
    devices = int(pod["num_gpu"])
    share = int(pod["gpu_milli"]) if devices else 0
    return int(pod["cpu_milli"]), int(pod["memory_mib"]), devices, share, models


def _rows(path: Path) -> list[Row]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}; name the folder of the trace with TRACE=folder") from error
