"""What replicas are killed on: a control plane with played nodes, stand-ins, the policy in it, and who watches all."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from controller.cluster.names import SYSTEM
from controller.connections.cluster import ClusterConnection
from controller.connections.connections import Connections
from controller.connections.gateway import GatewayConnection
from controller.embedded.ports import HOST, free_ports
from controller.embedded.reaper import Reaper
from policy.documents import API_VERSION, KINDS
from policy.schema.crd import plural
from policy.schema.files import DEFINITIONS
from tests.cli.process import ROOT
from tests.cluster.accounts import keep_following_parameters
from tests.cluster.api_server import ApiServer, eventually
from tests.cluster.fleet import SETTINGS, is_ready
from tests.cluster.pods import restricted
from tests.cluster.replicas import Replicas, replicas
from tests.cluster.role import as_controller, of_account
from tests.cluster.starting import KUBECONFIG
from tests.cluster.whole import control_plane, played
from tests.cluster.written import files, resources

POLICY = Path(__file__).with_name("policy")
LOOPBACK = "127.64.0.0/16"
"""Addresses of pods, at which stand-ins can listen."""
NODES = {"vault": 4, "hall": 5}
CERTIFIED = frozenset({"vault"})
"""Sites that have what the policy's profile asks for, by its evidence."""
LOAD_S = 3.0
"""Loads that take that long make transitions of some seconds, each at most half a minute."""
MODELS = ("fraud--fp16", "chat--fp16")
NAMES = ("gridwright-0", "gridwright-1")


@dataclass(frozen=True, slots=True)
class Ground:
    """All of it; `record`, `notes` and `audit` are what the watcher, the stand-ins and the API server wrote down."""

    server: ApiServer
    replicas: Replicas
    gateway: str
    work: Path
    record: Path
    notes: Path
    audit: Path

    def offer(self, rates: dict[str, float]) -> None:
        """Have requests come at these rates, by ORIGIN/SERVICE/STAGE."""
        answer = httpx.put(f"http://{self.gateway}/rates", json=rates, trust_env=False)
        assert answer.is_success, answer.text

    def add_node(self, name: str, pool: str) -> None:
        """Have a node more."""
        self.server.create(played(name, pool, **{"ephemeral-storage": "100Gi"}))

    def lose_node(self, name: str) -> None:
        """Have a node gone with all that runs on it."""
        self.server.delete({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})


@contextmanager
def ground(built: Path, work: Path) -> Iterator[Ground]:
    """A control plane in which two replicas of the controller may start. Raises as `api_server` does."""
    (port,) = free_ports(1)
    gateway, record, notes = f"{HOST}:{port}", work / "record.jsonl", work / "notes.jsonl"
    routes = work / "routes"
    for origin in NODES:
        (routes / origin).mkdir(parents=True)
    reaper = Reaper()
    with control_plane(built, work, LOOPBACK) as server:
        try:
            keep_following_parameters(server)
            _install(server)
            kubeconfig = work / KUBECONFIG
            beside(reaper, work, "tests.cluster.watcher", kubeconfig, record)
            options = ("--load-s", LOAD_S, "--gateway", gateway, "--routes", routes, "--origins", ",".join(NODES))
            beside(reaper, work, "tests.cluster.stand_in", kubeconfig, notes, "--models", ",".join(MODELS), *options)
            eventually(lambda: record.is_file() and listens(gateway))
            with replicas(as_controller(server, work), work, _connections(gateway, routes)) as them:
                yield Ground(server, them, gateway, work, record, notes, work / "audit.log")
        finally:
            reaper.close()


def _install(server: ApiServer) -> None:
    """What an installation with the policy in the cluster has, but for the processes themselves."""
    server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}})
    eventually(lambda: server.is_served(f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/default"))
    for manifest in (*of_account(), *(restricted(name, SYSTEM) for name in NAMES)):
        server.create(manifest)
    for file in sorted(DEFINITIONS.glob("*.yaml")):
        server.create(yaml.safe_load(file.read_text()))
    eventually(lambda: all(server.is_served(f"/apis/{API_VERSION}/{plural(kind)}") for kind in KINDS))
    for name, text in files(POLICY):
        for _, resource in resources(name, text):
            server.create(resource)
    names = {f"{pool}-{number}": pool for pool, count in NODES.items() for number in range(count)}
    for node, pool in names.items():
        server.create(played(node, pool, **{"ephemeral-storage": "100Gi"}))
    eventually(lambda: all(is_ready(server.get(f"/api/v1/nodes/{node}")) for node in names))


def _connections(gateway: str, routes: Path) -> Connections:
    ports = free_ports(len(NODES))
    origins = {origin: f"{HOST}:{port}" for origin, port in zip(NODES, ports, strict=True)}
    settings = SETTINGS.model_copy(update={"devices": {"card": "nvidia.com/gpu", "desk": "nvidia.com/gpu"}})
    return Connections(
        cluster=ClusterConnection(servers=settings, evidence=POLICY / "evidence"),
        gateways=(GatewayConnection(admin=gateway, routes=routes, origins=origins),),
    )


def listens(gateway: str) -> bool:
    """Whether a gateway answers by now."""
    try:
        return httpx.get(f"http://{gateway}/stats", trust_env=False).is_success
    except httpx.ConnectError:
        return False


def beside(reaper: Reaper, work: Path, module: str, *arguments: Any) -> "subprocess.Popen[bytes]":
    """A module of the tests as a process, with a log of its name."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return reaper.spawn(command, env={"PYTHONPATH": str(ROOT)}, cwd=work, log=work / f"{module}.log")


def lines(file: Path) -> list[dict[str, Any]]:
    """What was written down in a file, but for a last line that is not whole."""
    text = file.read_text() if file.is_file() else ""
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]
