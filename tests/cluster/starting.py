"""A real API server of Kubernetes with its etcd, on 127.0.0.1, with certificates of its own.

Nothing else of a control plane runs unless `whole.py` starts it. What a scheduler or a controller would do and a test
needs, the test does.
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
AUDITED = Path(__file__).with_name("audit.yaml")
AUDIT = "audit.log"
BUILT = Path(os.environ.get("CONTROL_PLANE") or Path(__file__).parents[2] / ".control-plane").absolute()
"""Where programs are; another folder holds those of another version of Kubernetes."""
PATIENCE_S = 60.0
POLL_S = 0.05


@contextmanager
def api_server(built: Path, work: Path, *, accounts: bool = False) -> Iterator[ApiServer]:
    """An API server that is ready, spoken to as an administrator; it and its etcd end with the context.

    `accounts` has it ask for the accounts of pods, as it does where a controller makes them.
    Raises PartMissingError where they were not built, and PartFailedError with a log's tail when one does not come up.
    """
    identity, (port,) = certified(work), free_ports(1)
    (work / KUBECONFIG).write_text(kubeconfig(work, port))
    with store(built, work) as kept, serving(built, work, kept, port, identity, accounts=accounts) as server:
        yield server


@contextmanager
def store(built: Path, work: Path) -> Iterator[int]:
    """An etcd that is ready; its port."""
    port, peers = free_ports(2)
    with started(built, work, etcd_command(built, work, port, peers)) as etcd, httpx.Client(trust_env=False) as client:
        wait(etcd, work / "etcd.log", lambda: client.get(f"http://{HOST}:{port}/health").is_success)
        yield port


@contextmanager
def serving(
    built: Path, work: Path, kept: int, port: int, identity: ssl.SSLContext, *, accounts: bool = False
) -> Iterator[ApiServer]:
    """An API server that is ready, at a port, over the etcd at the port `kept`."""
    command = api_server_command(built, work, kept, port, accounts=accounts)
    with (
        started(built, work, command) as server,
        httpx.Client(base_url=f"https://{HOST}:{port}", verify=identity, trust_env=False, timeout=30) as client,
    ):
        wait(server, work / "kube-apiserver.log", lambda: client.get("/readyz").is_success)
        yield ApiServer(client)


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
            "current-context": "tests",
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


def api_server_command(built: Path, work: Path, store: int, port: int, *, accounts: bool = False) -> list[str | Path]:
    """How the API server is started.

    The plugin ServiceAccount is off without `accounts`, as no controller makes those that it would ask for.
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
        # Lists that come as a watch need a younger etcd than there is as a wheel: clients try again ever more seldom.
        "--feature-gates=WatchList=false",
        f"--audit-policy-file={AUDITED}",
        f"--audit-log-path={work / AUDIT}",
        *([] if accounts else ["--disable-admission-plugins=ServiceAccount"]),
    ]


@contextmanager
def started(built: Path, work: Path, command: list[str | Path]) -> Iterator["subprocess.Popen[bytes]"]:
    """A program of `built`, its output in a log of its name, until the context ends."""
    program = Path(command[0]).name
    if not (built / program).is_file():
        raise PartMissingError(f"{program} is not here: `make test-cluster` builds it where Go is installed")
    reaper = Reaper()
    try:
        process = reaper.spawn(command, env={"PATH": os.defpath}, cwd=work, log=work / f"{program}.log")
        yield process
        reaper.end(process, grace_s=5)
    finally:
        reaper.close()


def wait(process: "subprocess.Popen[bytes]", log: Path, is_ready: Callable[[], bool]) -> None:
    """Return once a program is ready. Raises PartFailedError when it ends before, or takes too long."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if is_ready():
                return
        except httpx.TransportError:
            pass  # it does not listen yet
        time.sleep(POLL_S)
    raise PartFailedError(f"{log.stem} did not become ready; the end of {log}:\n{log_tail(log)}")
