"""The whole story in a cluster: installed by Helm, told a policy, placed, rescaled, moved, and gone without a trace.

The controller runs as its pod says (`played_container`). Servers of the pool `vault` are stand-ins; those of `hall` are
real Tritons behind a real Envoy, one on each node.
"""

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from controller.embedded.errors import PartMissingError
from controller.embedded.fleet import EmbeddedFleet, embedded_fleet
from controller.embedded.ports import HOST, free_ports
from controller.embedded.reaper import Reaper
from policy.source import load
from tests.cluster.accounts import keep_following_parameters
from tests.cluster.api_server import ApiServer, Manifest, eventually
from tests.cluster.everything import everything, is_furnished
from tests.cluster.helm import CHART, NAMESPACE, ROOT, helm
from tests.cluster.killing.ground import LOOPBACK, POLICY, beside, lines, listens
from tests.cluster.played_container import Machine, Running
from tests.cluster.role import as_controller
from tests.cluster.starting import BUILT, KUBECONFIG
from tests.cluster.whole import control_plane, played
from tests.loop.conftest import ENVIRONMENT
from tests.loop.test_lost_node import MODEL, written

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.triton,
    pytest.mark.envoy,
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("helm_is_built"),
]

VAULT = ("vault-0", "vault-1", "vault-2", "vault-3")
HALL = ("hall-0", "hall-1")
FRAUD = "fraud--fp16"
JUDGED = "vault/payments/judge"


@dataclass(frozen=True)
class Story:
    """A control plane that an administrator and the controller work with, and what stands beside it."""

    server: ApiServer
    work: Path
    policy: Path
    tritons: EmbeddedFleet
    gateway: str
    machine: Machine

    def kubectl(self, *arguments: str | Path) -> None:
        """What an administrator tells the cluster."""
        command = [BUILT / "kubectl", "--kubeconfig", self.work / KUBECONFIG, *arguments]
        told = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": str(self.work)})
        assert told.returncode == 0, told.stderr

    def helm(self, *arguments: str | Path) -> None:
        """The same by Helm."""
        told = helm(*arguments, environment={"KUBECONFIG": str(self.work / KUBECONFIG)})
        assert told.returncode == 0, told.stdout + told.stderr

    def values(self) -> Path:
        """The values of the chart: what there is in this cluster and beside it."""
        (envoy,) = self.tritons.connections.gateways
        (port,) = free_ports(1)
        ours = {"admin": self.gateway, "routes": str(self.work / "routes"), "origins": {"vault": f"{HOST}:{port}"}}
        servers = {
            "image": "triton",
            "repository": {"url": "s3://models"},
            "devices": {"card": "nvidia.com/gpu", "edge-module": None},
        }
        values = {
            "replicas": 1,
            "policy": {"cluster": True, "evidence": {"secret": "evidence"}},
            "connections": {
                "cluster": {"servers": servers},
                "gateways": [json.loads(envoy.model_dump_json(by_alias=True)), ours],
            },
            "journal": {"accessMode": "ReadWriteOnce", "storageClass": "local"},
        }
        file = self.work / "values.yaml"
        file.write_text(yaml.safe_dump(values))
        return file

    def install(self) -> Running:
        """By the chart; what its pod would run, runs."""
        self.kubectl("create", "namespace", NAMESPACE)
        self.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        vouched = f"--from-file={POLICY / 'evidence'}"
        self.kubectl("create", "secret", "generic", "evidence", "--namespace", NAMESPACE, vouched)
        values = ("--namespace", NAMESPACE, "--values", self.values())
        self.helm("install", "gridwright", CHART, *values, "--wait", "--timeout", "60s")
        (pod,) = self.server.get(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"]
        as_controller(self.server, self.work)
        return self.machine.run(pod)

    def offer(self, rate: float) -> None:
        """Have so many requests a second come for payments."""
        httpx.put(f"http://{self.gateway}/rates", json={JUDGED: rate}, trust_env=False).raise_for_status()

    def held(self) -> Counter[str]:
        """The instances of the model that payments need, by the node of the stand-in that holds it."""
        found = Counter[str]()
        for note in lines(self.work / "notes.jsonl"):
            if note["what"] in {"start", "end", "unload"}:
                found.pop(note["node"], None)
            elif note["what"] == "load" and note["model"] == FRAUD and note["done"]:
                found[note["node"]] = sum(group["count"] for group in note["config"]["instance_group"])
        return found

    def pods(self, pool: str) -> set[str]:
        """The nodes on which servers of a pool run."""
        items = self.server.get(f"/api/v1/namespaces/gridwright-{pool}/pods")["items"]
        return {each["spec"].get("nodeName", "none") for each in items}

    def is_applied(self, service: str) -> bool:
        """Whether the status of a service says that all that it needs was done."""
        conditions = self.server.get(f"/apis/gridwright.dev/v1alpha1/services/{service}").get("status", {})
        return {"Applied", "Feasible"} <= {
            each["type"] for each in conditions.get("conditions", ()) if each["status"] == "True"
        }

    def remove(self, controller: Running) -> None:
        """As docs/kubernetes.md says; the namespace is the administrator's own."""
        self.helm("uninstall", "gridwright", "--namespace", NAMESPACE, "--wait", "--timeout", "60s")
        self.machine.reaper.end(controller.process, grace_s=20)
        self.kubectl("delete", "--filename", ROOT / "deploy" / "crds")
        self.kubectl(
            *("delete", "namespace,priorityclass", "--selector", "app.kubernetes.io/managed-by=gridwright"),
            *("--timeout", "60s"),
        )
        self.kubectl("--namespace", NAMESPACE, "delete", "configmap/gridwright-servers", "lease/gridwright")
        self.kubectl("delete", "namespace", NAMESPACE, "--timeout", "60s")


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    try:
        with _story(tmp_path) as story:
            yield story
    except PartMissingError as missing:
        pytest.skip(str(missing))


@contextmanager
def _story(work: Path) -> Iterator[Story]:
    policy = written(work / "policy")
    hall = load(policy).policy
    assert hall is not None
    (policy / "vault.yaml").write_text((POLICY / "vault.yaml").read_text())
    (work / "routes" / "vault").mkdir(parents=True)
    (port,) = free_ports(1)
    gateway, real = f"{HOST}:{port}", work / "real.json"
    with (
        embedded_fleet(hall, ENVIRONMENT, work / "hall", paced=True) as tritons,
        control_plane(BUILT, work, LOOPBACK) as server,
        closing(Reaper()) as reaper,
    ):
        keep_following_parameters(server)
        for node in (*VAULT, *HALL):
            server.create(played(node, node.partition("-")[0], **{"ephemeral-storage": "100Gi"}))
        server.create(_volume())
        addresses = {node: each.model_dump() for (_, node), each in tritons.connections.by_node().items()}
        real.write_text(json.dumps(addresses))
        where = ("--gateway", gateway, "--routes", work / "routes", "--origins", "vault", "--real", real)
        notes = work / "notes.jsonl"
        beside(reaper, work, "tests.cluster.stand_in", work / KUBECONFIG, notes, "--models", FRAUD, *where)
        eventually(lambda: listens(gateway))
        machine = Machine(server, work / "controller.kubeconfig", work / "machine", reaper)
        machine.work.mkdir()
        yield Story(server, work, policy, tritons, gateway, machine)


def _volume() -> Manifest:
    spec = {
        "capacity": {"storage": "2Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "local",
        "persistentVolumeReclaimPolicy": "Retain",
        "hostPath": {"path": "/journal"},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "journal"}, "spec": spec}


def until(holds: Callable[[], bool], story: Story, controller: Running) -> None:
    """Wait until it holds; where it does not, the end of the controller's log says why."""
    try:
        eventually(holds)
    except AssertionError as error:
        told = controller.log.read_text().splitlines()[-20:]
        raise AssertionError("\n".join([f"held: {story.held()}", *told])) from error


def test_from_the_first_installation_to_the_last_trace(story: Story) -> None:
    eventually(lambda: is_furnished(story.server))
    before = everything(story.server)

    controller = story.install()
    story.kubectl("apply", "--filename", story.policy)
    story.offer(30)
    until(lambda: story.is_applied("payments") and story.is_applied("voice"), story, controller)
    placed = story.held()
    assert story.pods("vault") == placed.keys() <= set(VAULT)
    assert story.pods("hall") == set(HALL)
    for (_, node), triton in story.tritons.connections.by_node().items():
        index = httpx.post(f"http://{triton.http}/v2/repository/index", trust_env=False).json()
        ready = {each["name"].partition("--")[0] for each in index if each.get("state") == "READY"}
        assert ready == {MODEL}, node

    story.offer(110)
    until(lambda: story.held().total() > placed.total(), story, controller)

    lost = min(story.held())
    story.kubectl("delete", "node", lost)
    until(lambda: lost not in story.held() and story.held().total() > placed.total(), story, controller)
    # Kubernetes waits a while before it takes away the pods of a node that is gone.
    gone = ("--for=delete", f"pod/{lost}-0", "--namespace", "gridwright-vault", "--timeout", "150s")
    story.kubectl("wait", *gone)
    until(lambda: lost not in story.pods("vault") and story.is_applied("payments"), story, controller)

    story.remove(controller)
    with suppress(AssertionError):  # below it is told what is left
        eventually(lambda: _left(story.server, before) == set())
    assert _left(story.server, before) == set()


def _left(server: ApiServer, before: set[str]) -> set[str]:
    """What has come since, without what the API server registers itself for each group of definitions."""
    return {each for each in everything(server) - before if "/apiservices " not in each}
