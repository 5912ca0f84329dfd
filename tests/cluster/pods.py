"""Pods, and the ways in which they come to a node."""

from dataclasses import dataclass

import httpx

from controller.admission.manifests import SERVICE, STAGE
from tests.cluster.api_server import ApiServer, Manifest


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace of a real cluster."""

    server: ApiServer
    name: str

    def pod(self, name: str, node: str | None = None) -> httpx.Response:
        """Ask for a pod, which names its node where one is given, be it none."""
        spec: Manifest = {"containers": [{"name": "triton", "image": "triton"}]}
        if node is not None:
            spec["nodeName"] = node
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": self.name}, "spec": spec}
        return self.server.post(f"/api/v1/namespaces/{self.name}/pods", pod)

    def restricted(self, name: str, node: str) -> httpx.Response:
        """Ask, and no more, for a pod on a node as namespaces take it that want restricted ones."""
        return self.server.post(f"/api/v1/namespaces/{self.name}/pods", on(node, name, self.name), dryRun="All")

    def bind(self, pod: str, node: str, *, old: bool = False) -> httpx.Response:
        """Ask for a pod to be bound to a node, as a scheduler does; by the resource of old schedulers where `old`."""
        path = f"/api/v1/namespaces/{self.name}/{'bindings' if old else f'pods/{pod}/binding'}"
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        metadata = {"name": pod, "namespace": self.name}
        return self.server.post(path, {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target})

    def node_of(self, pod: str) -> str | None:
        """The node of a pod; None where it has none."""
        found: str | None = self.server.get(f"/api/v1/namespaces/{self.name}/pods/{pod}")["spec"].get("nodeName")
        return found


def namespace(server: ApiServer, name: str, service: str, stage: str) -> Namespace:
    """A new namespace for the pods of a stage."""
    labels = {SERVICE: service, STAGE: stage}
    server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    return Namespace(server, name)


def restricted(name: str, within: str) -> Manifest:
    """A pod as namespaces take it that want restricted ones, which stays off all nodes."""
    confined = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "gridwright", "image": "gridwright", "securityContext": confined}
    nobody = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": within},
        "spec": {
            "containers": [container],
            "securityContext": nobody,
            "schedulingGates": [{"name": "gridwright.dev/tests"}],
        },
    }


def on(node: str, name: str, within: str) -> Manifest:
    """Such a pod that names its node, so that no scheduler places it."""
    pod = restricted(name, within)
    spec = {key: value for key, value in pod["spec"].items() if key != "schedulingGates"}
    return {**pod, "spec": {**spec, "nodeName": node}}
