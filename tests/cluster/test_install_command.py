"""`gridwright install` on a real control plane: what it shows is what it does, and it takes all of it away again."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.cluster.installation.installed import installed, name_of, path_of
from controller.cluster.servers.workloads import priority
from policy.documents import API_VERSION
from tests.cli.process import Ran, gridwright
from tests.cluster.api_server import ApiServer, Manifest, eventually
from tests.cluster.everything import everything
from tests.cluster.starting import KUBECONFIG

pytestmark = pytest.mark.cluster

ADDRESS = "git+https://git.example.org/fleet.git@main:policy"
SITE: Manifest = {
    "apiVersion": API_VERSION,
    "kind": "Site",
    "metadata": {"name": "paris"},
    "spec": {"jurisdictions": ["EU"]},
}


OURS = {"app.kubernetes.io/managed-by": "gridwright"}
MADE: tuple[Manifest, ...] = (
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gridwright-edge", "labels": OURS}},
    priority(),
)
"""What a controller has made, here before the policy comes that leaves it to the one that leads."""


@pytest.fixture(autouse=True)
def _reached(bare_work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(bare_work / KUBECONFIG))


@pytest.fixture
def connections(tmp_path: Path) -> Path:
    servers = {"image": "triton", "repository": {"url": "s3://models"}, "devices": {"xeon": None}}
    file = tmp_path / "connections.yaml"
    file.write_text(yaml.safe_dump({"cluster": {"servers": servers}}))
    return file


def install(connections: Path, *more: str, context: str = "tests", image: str = "example.org/gridwright:1") -> Ran:
    given = ("--image", image, "--policy", ADDRESS, "--connections", connections)
    return gridwright("install", "--context", context, *given, *more)


def remove(*more: str) -> Ran:
    return gridwright("install", "--context", "tests", "--remove", *more)


def shown(ran: Ran) -> list[tuple[str, str]]:
    """What is to become of each object, and its name."""
    steps = [line.split(maxsplit=1) for line in ran.out.splitlines()]
    return [(fate, name) for fate, name in steps if fate in {"create", "change", "keep", "remove"}]


def test_what_is_shown_is_done_and_taken_away(bare: ApiServer, connections: Path) -> None:
    names = [name_of(each) for each in installed()]
    before = everything(bare)
    looked = install(connections, "--dry-run")
    assert (looked.status, shown(looked)) == (2, [("create", name) for name in names])
    assert everything(bare) == before

    for manifest in MADE:
        bare.create(manifest)
    done = install(connections)
    assert (done.status, shown(done)) == (0, shown(looked)), done.err
    assert all(bare.is_served(path_of(each)) for each in installed())
    again = install(connections, "--dry-run")
    assert (again.status, shown(again)) == (0, [("keep", name) for name in names])
    newer = install(connections, image="example.org/gridwright:2")
    changed = [name for fate, name in shown(newer) if fate != "keep"]
    assert (newer.status, changed) == (0, ["Deployment gridwright-system/gridwright"])

    bare.create(SITE)
    kept = remove()
    assert (kept.status, kept.out) == (1, "")
    assert "the cluster holds documents of the kinds Site" in kept.err
    bare.delete(SITE)
    looked = remove("--dry-run")
    gone = [*reversed(names), *map(name_of, MADE)]
    assert (looked.status, shown(looked)) == (2, [("remove", name) for name in gone])
    removed = remove()
    assert removed.status == 0, removed.err
    eventually(lambda: everything(bare) == before)
    assert remove().out == ""


def test_whoever_may_not_is_told_what_they_may_not(bare: ApiServer, bare_work: Path, connections: Path) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "guest", "namespace": "default"}}
    bare.create(account)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = bare.post("/api/v1/namespaces/default/serviceaccounts/guest/token", request).json()["status"]["token"]
    kubeconfig = yaml.safe_load((bare_work / KUBECONFIG).read_text())
    kubeconfig["users"].append({"name": "guest", "user": {"token": token}})
    kubeconfig["contexts"].append({"name": "guest", "context": {"cluster": "tests", "user": "guest"}})
    (bare_work / KUBECONFIG).write_text(yaml.safe_dump(kubeconfig))
    before = everything(bare)
    refused = install(connections, context="guest")
    assert (refused.status, refused.out) == (1, "")
    assert "you may not get namespaces, create namespaces, patch namespaces" in " ".join(refused.err.split())
    assert everything(bare) == before
    bare.delete(account)


@pytest.mark.parametrize("left_out", ["--image", "--connections"])
def test_what_is_not_given_is_asked_for(connections: Path, left_out: str) -> None:
    given = {"--image": "example.org/gridwright:1", "--connections": str(connections)}
    options = [part for option, value in given.items() if option != left_out for part in (option, value)]
    ran = gridwright("install", "--context", "tests", *options)
    assert ran.status == 1
    assert f"an installation needs {left_out} as well" in ran.err


@pytest.mark.parametrize(
    "more",
    [
        {"gateways": [{"admin": "127.0.0.1:9901", "routes": "routes", "origins": {"edge": "127.0.0.1:10000"}}]},
        {"database": {"host": "db.example.org"}},
    ],
    ids=["gateways", "database"],
)
def test_what_takes_more_than_is_installed_is_refused(connections: Path, more: dict[str, Any]) -> None:
    connections.write_text(yaml.safe_dump({**yaml.safe_load(connections.read_text()), **more}))
    ran = install(connections)
    assert ran.status == 1
    told = "names folders, files, sites or a database, which the cluster does not have"
    assert told in " ".join(ran.err.split())


def test_addresses_beyond_loopback_need_no_saying_so(bare: ApiServer, connections: Path) -> None:
    assert bare.is_served("/readyz")
    servers = {"cloud": {"http": "10.0.0.8:8000", "grpc": "10.0.0.8:8001", "metrics": "10.0.0.8:8002"}}
    connections.write_text(yaml.safe_dump({**yaml.safe_load(connections.read_text()), "servers": servers}))
    ran = install(connections, "--dry-run")
    assert (ran.status, ran.err) == (2, "")


def test_replicas_that_could_not_elect_one_are_refused(connections: Path) -> None:
    servers = {"edge": {"http": "127.0.0.1:8000", "grpc": "127.0.0.1:8001", "metrics": "127.0.0.1:8002"}}
    connections.write_text(yaml.safe_dump({"servers": servers}))
    ran = install(connections)
    assert ran.status == 1
    assert "names no cluster, by which replicas elect one" in " ".join(ran.err.split())


def test_a_context_that_there_is_not_is_told(connections: Path) -> None:
    ran = install(connections, context="elsewhere")
    assert ran.status == 1
    assert "leads nowhere: " in ran.err
    assert "in a pod" not in ran.err
