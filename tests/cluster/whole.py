"""A whole control plane: beside the API server what makes pods, what binds them, and KWOK, which plays their nodes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from controller.embedded.ports import HOST, free_ports
from tests.cluster.api_server import ApiServer, Manifest
from tests.cluster.starting import KUBECONFIG, api_server, started, wait

PLAYED = "kwok.x-k8s.io/node"
"""The annotation of a node that KWOK plays."""
OFTEN_S, SELDOM_S = 40, 900
"""How long a node's lease lasts, which is renewed four times as often."""
HASTY: list[str | Path] = ["--kube-api-qps=1000", "--kube-api-burst=2000"]


@contextmanager
def control_plane(
    built: Path, work: Path, addresses: str = "10.0.0.0/24", *, many: bool = False
) -> Iterator[ApiServer]:
    """The API server of a control plane in which workloads get pods, pods get nodes, and nodes run what they are given.

    Pods have `addresses`; at those of 127.0.0.0/8 stand-ins can listen. `many` has it play nodes by the thousand: they
    seldom tell that they live, and nobody holds back what makes and binds pods. Raises as `api_server` does.
    """
    with api_server(built, work, accounts=True) as server, ExitStack() as stack:
        nodes = kwok_command(built, work, addresses, lease_s=SELDOM_S if many else OFTEN_S)
        hasty = HASTY if many else []
        patient = [f"--node-monitor-grace-period={2 * SELDOM_S}s", "--concurrent-statefulset-syncs=20"] if many else []
        makers = [*controllers_command(built, work), *hasty, *patient]
        for command in (makers, [*scheduler_command(built, work), *hasty], nodes):
            stack.enter_context(_ready(built, work, command))
        yield server


def played(name: str, pool: str, **more: str) -> Manifest:
    """A node of a pool with one GPU, which KWOK plays; `more` are quantities that it has as well."""
    quantities = {"cpu": "32", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": "1", **more}
    labels = {"gridwright.dev/pool": pool, "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {PLAYED: "fake"}},
        "status": {"allocatable": quantities, "capacity": quantities},
    }


def controllers_command(built: Path, work: Path) -> list[str | Path]:
    """How the controllers of Kubernetes are started; there is one of them, so none is elected."""
    return [
        built / "kube-controller-manager",
        f"--kubeconfig={work / KUBECONFIG}",
        f"--service-account-private-key-file={work / 'key.pem'}",
        f"--root-ca-file={work / 'authority.pem'}",
        "--use-service-account-credentials=false",
        *_alone(),
    ]


def scheduler_command(built: Path, work: Path) -> list[str | Path]:
    """How the scheduler is started."""
    return [built / "kube-scheduler", f"--kubeconfig={work / KUBECONFIG}", *_alone()]


def kwok_command(built: Path, work: Path, addresses: str, lease_s: int = OFTEN_S) -> list[str | Path]:
    """How KWOK is started: it plays the nodes that say so, and gives their pods addresses."""
    (port,) = free_ports(1)
    return [
        built / "kwok",
        f"--kubeconfig={work / KUBECONFIG}",
        f"--config={built / 'stages.yaml'}",
        f"--manage-nodes-with-annotation-selector={PLAYED}=fake",
        f"--node-ip={HOST}",
        f"--cidr={addresses}",
        f"--server-address={HOST}:{port}",
        f"--node-lease-duration-seconds={lease_s}",
    ]


def _alone() -> list[str | Path]:
    (port,) = free_ports(1)
    return ["--leader-elect=false", f"--bind-address={HOST}", f"--secure-port={port}"]


@contextmanager
def _ready(built: Path, work: Path, command: list[str | Path]) -> Iterator[None]:
    (address,) = [str(each) for each in command if str(each).startswith(("--secure-port=", "--server-address="))]
    port = address.rpartition("=")[2].rpartition(":")[2]
    scheme = "https" if address.startswith("--secure-port=") else "http"
    log = work / f"{Path(command[0]).name}.log"
    # It has made its own certificate, which only tells that it listens.
    with started(built, work, command) as process, httpx.Client(verify=False, trust_env=False) as client:  # noqa: S501
        wait(process, log, lambda: client.get(f"{scheme}://{HOST}:{port}/healthz").is_success)
        yield
