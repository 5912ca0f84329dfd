"""A real API server of Kubernetes with its etcd, on 127.0.0.1, with certificates of its own.

Nothing else of a control plane runs: no scheduler, no controllers, no nodes. What they would do and a test needs, the
test does.
"""

import os
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import trustme
import yaml

from controller.embedded.errors import PartFailedError, PartMissingError, log_tail
from controller.embedded.ports import HOST, free_ports
from controller.embedded.reaper import Reaper
from tests.cluster.api_server import ApiServer

KUBECONFIG = "kubeconfig"
BUILT = Path(__file__).parents[2] / ".control-plane"
PATIENCE_S = 60.0
POLL_S = 0.05


@contextmanager
def api_server(built: Path, work: Path) -> Iterator[ApiServer]:
    """An API server that is ready, spoken to as an administrator; it and its etcd end with the context.

    Raises PartMissingError where they were not built, and PartFailedError with a log's tail when one does not come up.
    """
    for binary in (built / "etcd", built / "kube-apiserver"):
        if not binary.is_file():
            raise PartMissingError(f"{binary.name} is not here: `make test-cluster` builds it where Go is installed")
    store, peers, port = free_ports(3)
    reaper = Reaper()
    try:
        etcd = _started(reaper, etcd_command(built, work, store, peers), work / "etcd.log")
        with httpx.Client(trust_env=False) as client:
            _wait(etcd, work / "etcd.log", lambda: client.get(f"http://{HOST}:{store}/health").is_success)
        identity = certified(work)
        server = _started(reaper, api_server_command(built, work, store, port), work / "kube-apiserver.log")
        with httpx.Client(base_url=f"https://{HOST}:{port}", verify=identity, trust_env=False, timeout=30) as client:
            _wait(server, work / "kube-apiserver.log", lambda: client.get("/readyz").is_success)
            (work / KUBECONFIG).write_text(kubeconfig(work, port))
            yield ApiServer(client)
        reaper.end(server, grace_s=5)
        reaper.end(etcd, grace_s=5)
    finally:
        reaper.close()


def certified(work: Path) -> ssl.SSLContext:
    """Write the server's certificate and whom it trusts into a folder; what an administrator calls it with."""
    authority = trustme.CA()
    serving = authority.issue_cert(HOST)
    administrator = authority.issue_cert(
        "administrator", common_name="administrator", organization_name="system:masters"
    )
    authority.cert_pem.write_to_path(work / "authority.pem")
    serving.private_key_pem.write_to_path(work / "key.pem")
    serving.cert_chain_pems[0].write_to_path(work / "certificate.pem")
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    administrator.configure_cert(context)
    administrator.private_key_and_cert_chain_pem.write_to_path(work / "administrator.pem")
    return context


def kubeconfig(work: Path, port: int) -> str:
    """What has a client call the server as that administrator, by the context `tests`."""
    identity = {"client-certificate": str(work / "administrator.pem"), "client-key": str(work / "administrator.pem")}
    cluster = {"server": f"https://{HOST}:{port}", "certificate-authority": str(work / "authority.pem")}
    context = {"cluster": "tests", "user": "administrator"}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": cluster}],
            "users": [{"name": "administrator", "user": identity}],
            "contexts": [{"name": "tests", "context": context}],
        }
    )


def etcd_command(built: Path, work: Path, store: int, peers: int) -> list[str | Path]:
    """How etcd is started. Nothing has to outlive the tests, so it does not wait for the disk."""
    client, peer = f"http://{HOST}:{store}", f"http://{HOST}:{peers}"
    return [
        built / "etcd",
        f"--data-dir={work / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server_command(built: Path, work: Path, store: int, port: int) -> list[str | Path]:
    """How the API server is started.

    The plugin ServiceAccount is off, as a controller that does not run here makes the accounts it would ask for.
    """
    return [
        built / "kube-apiserver",
        f"--etcd-servers=http://{HOST}:{store}",
        f"--bind-address={HOST}",
        f"--secure-port={port}",
        f"--tls-cert-file={work / 'certificate.pem'}",
        f"--tls-private-key-file={work / 'key.pem'}",
        f"--client-ca-file={work / 'authority.pem'}",
        f"--service-account-issuer=https://{HOST}:{port}",
        f"--service-account-key-file={work / 'key.pem'}",
        f"--service-account-signing-key-file={work / 'key.pem'}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--endpoint-reconciler-type=none",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
    ]


def _started(reaper: Reaper, command: list[str | Path], log: Path) -> "subprocess.Popen[bytes]":
    return reaper.spawn(command, env={"PATH": os.defpath}, cwd=log.parent, log=log)


def _wait(process: "subprocess.Popen[bytes]", log: Path, is_ready: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if is_ready():
                return
        except httpx.TransportError:
            pass  # it does not listen yet
        time.sleep(POLL_S)
    raise PartFailedError(f"{log.stem} did not become ready; the end of {log}:\n{log_tail(log)}")
