"""The chart on a real control plane: installed, upgraded, rolled back, and gone."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from policy.documents import API_VERSION, KINDS
from policy.schema.crd import plural
from tests.cli.process import gridwright
from tests.cluster.api_server import ApiServer, collection, eventually, message, one
from tests.cluster.everything import everything
from tests.cluster.helm import CHART, NAMESPACE, ROOT, VALUES, Manifest, helm, manifests, rendered
from tests.cluster.rendering import SETS, namespace
from tests.cluster.starting import KUBECONFIG

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("helm_is_built")]

SHARED = "shared"
WITH = ("--namespace", NAMESPACE, "--values", VALUES / "git.yaml", "--set", f"journal.storageClass={SHARED}")
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/gridwright"


@pytest.fixture(scope="module")
def ready(bare: ApiServer) -> Iterator[ApiServer]:
    """The control plane with what an administrator makes first: the namespace, and a volume for both nodes."""
    for manifest in (namespace(), volume()):
        bare.create(manifest)
    eventually(lambda: bare.is_served(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"))
    yield bare
    for manifest in (namespace(), volume()):
        bare.delete(manifest)
    eventually(lambda: not bare.is_served(one(namespace())))


def volume() -> Manifest:
    """A volume for the journal, as an administrator provides one."""
    spec = {
        "capacity": {"storage": "2Gi"},
        "accessModes": ["ReadWriteMany"],
        "storageClassName": SHARED,
        "persistentVolumeReclaimPolicy": "Retain",
        "nfs": {"server": "10.0.0.2", "path": "/journal"},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "journal"}, "spec": spec}


@pytest.mark.parametrize("values", SETS, ids=lambda values: values.stem)
def test_the_server_takes_all_that_is_rendered(ready: ApiServer, values: Path) -> None:
    for manifest in manifests(rendered(values)):
        response = ready.post(collection(manifest), manifest, dryRun="All")
        assert response.status_code == httpx.codes.CREATED, response.text
        assert "Warning" not in response.headers, response.headers["Warning"]


@pytest.mark.parametrize("values", SETS, ids=lambda values: values.stem)
def test_a_namespace_that_wants_restricted_pods_takes_the_controllers(ready: ApiServer, values: Path) -> None:
    (deployment,) = [each for each in manifests(rendered(values)) if each["kind"] == "Deployment"]
    template = deployment["spec"]["template"]
    metadata = {**template["metadata"], "name": "tried", "namespace": NAMESPACE}
    # An account and a class of priority are asked for first, and neither is what is tried here.
    spec = {**template["spec"], "serviceAccountName": "default"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    assert ready.post(collection(pod), pod, dryRun="All").status_code == httpx.codes.CREATED
    root = {**spec, "securityContext": {**spec["securityContext"], "runAsNonRoot": False, "runAsUser": 0}}
    refused = ready.post(collection(pod), {**pod, "spec": root}, dryRun="All")
    assert "violates PodSecurity" in message(refused)


def test_the_pod_that_copies_the_journal_is_taken(ready: ApiServer) -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text()
    blocks = map(yaml.safe_load, re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    (pod,) = [each for each in blocks if each.get("kind") == "Pod"]
    response = ready.post(collection(pod), pod, dryRun="All")
    assert response.status_code == httpx.codes.CREATED, response.text


def test_a_release_is_installed_upgraded_rolled_back_and_gone(
    ready: ApiServer, bare_work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(bare_work / KUBECONFIG))

    def run(*arguments: str | Path) -> None:
        told = helm(*arguments, environment={"KUBECONFIG": str(bare_work / KUBECONFIG)})
        assert told.returncode == 0, told.stdout + told.stderr

    def replicas() -> tuple[int, int]:
        kept = ready.get(DEPLOYMENT)
        return kept["spec"]["replicas"], kept["status"].get("readyReplicas", 0)

    before = everything(ready)
    run("install", "gridwright", CHART, *WITH, "--wait", "--timeout", "60s")
    assert replicas() == (2, 2)
    refused = gridwright("install", "--context", "tests", "--remove", "--dry-run")
    assert (refused.status, refused.out) == (1, "")
    assert "Helm has installed this as the release gridwright" in refused.err
    assert all(ready.is_served(f"/apis/{API_VERSION}/{plural(kind)}") for kind in KINDS)
    for manifest in manifests(rendered(VALUES / "git.yaml", "--set", f"journal.storageClass={SHARED}")):
        assert ready.is_served(one(manifest)), manifest

    run("upgrade", "gridwright", CHART, *WITH, "--set", "replicas=3", "--wait", "--timeout", "60s")
    assert replicas() == (3, 3)
    run("rollback", "gridwright", "--namespace", NAMESPACE, "--wait", "--timeout", "60s")
    assert replicas() == (2, 2)

    run("uninstall", "gridwright", "--namespace", NAMESPACE, "--wait", "--timeout", "60s")
    definitions = {each for each in everything(ready) - before if "/customresourcedefinitions " in each}
    assert {each.rpartition("/")[2] for each in definitions} == {f"{plural(kind)}.gridwright.dev" for kind in KINDS}
    eventually(lambda: left(ready, before) == definitions)
    for path in definitions:
        ready.delete(definition(path.rpartition("/")[2]))
    eventually(lambda: left(ready, before) == set())


def left(server: ApiServer, before: set[str]) -> set[str]:
    """What has come since, without what the API server registers itself for each group of definitions."""
    return {each for each in everything(server) - before if "/apiservices " not in each}


def definition(name: str) -> Manifest:
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}}
