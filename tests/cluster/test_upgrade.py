"""Live documents under definitions of before, upgraded: nothing is lost, and what would be is told."""

import copy
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from controller.cluster.custom_resources.policies import ClusterPolicy
from controller.cluster.installation.installed import path_of
from policy.cluster.documents import documents
from policy.documents import API_VERSION
from policy.findings import Level
from policy.schema.files import DEFINITIONS
from tests.cli.process import Ran, gridwright
from tests.cluster.api_server import ApiServer, Manifest, collection, eventually, one
from tests.cluster.conftest import started
from tests.cluster.fleet import calls
from tests.cluster.helm import CHART, NAMESPACE, VALUES, helm
from tests.cluster.starting import KUBECONFIG, api_server
from tests.cluster.written import files, resources

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
EARLIER = {
    file.stem: list(yaml.safe_load_all(file.read_text())) for file in Path(__file__).with_name("earlier").glob("*.yaml")
}
NOW = datetime(2026, 11, 27, tzinfo=UTC)
TOLD = {
    "type": "Accepted",
    "status": "True",
    "reason": "InForce",
    "message": "it is part of the policy in force",
    "lastTransitionTime": "2026-11-26T12:00:00Z",
}
TODAY = yaml.safe_load((DEFINITIONS / "sites.gridwright.dev.yaml").read_text())
SITE: Manifest = {"apiVersion": API_VERSION, "kind": "Site", "metadata": {"name": "paris"}}


@pytest.fixture
def upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """An API server without definitions."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / KUBECONFIG))
    with started(api_server, tmp_path) as server:
        yield server


def define(server: ApiServer, definitions: list[Manifest]) -> None:
    for each in definitions:
        server.create(each)
    eventually(
        lambda: all(server.is_served(f"/apis/{API_VERSION}/{each['spec']['names']['plural']}") for each in definitions)
    )


def live(server: ApiServer) -> list[Manifest]:
    """Every document of the examples that the server takes as it is, each name once, with a status where it has any."""
    taken = []
    for folder in sorted(each for each in (ROOT / "examples").iterdir() if each.is_dir()):
        for manifest in (each for name, text in files(folder) for _, each in resources(name, text)):
            if server.post(collection(manifest), manifest).status_code != httpx.codes.CREATED:
                continue
            if server.is_served(f"{one(manifest)}/status"):
                server.patch(f"{one(manifest)}/status", {"status": {"conditions": [TOLD], "observedGeneration": 1}})
            taken.append(manifest)
    return taken


def kept(server: ApiServer, manifests: list[Manifest]) -> dict[str, str]:
    """All that a server has of documents, to the byte, but for who wrote it."""
    found = {one(each): server.get(one(each)) for each in manifests}
    return {path: json.dumps({**each, "metadata": _lasting(each)}) for path, each in found.items()}


def _lasting(kept_object: Manifest) -> dict[str, Any]:
    return {key: each for key, each in kept_object["metadata"].items() if key != "managedFields"}


def upgrade(*more: str) -> Ran:
    return gridwright("install", "--context", "tests", "--definitions", *more)


def are_of_today() -> bool:
    """Whether applying the definitions would change none."""
    return upgrade("--dry-run").status == 0


@pytest.mark.parametrize("earlier", sorted(EARLIER))
async def test_an_upgrade_loses_nothing(upgraded: ApiServer, tmp_path: Path, earlier: str) -> None:
    define(upgraded, EARLIER[earlier])
    manifests = live(upgraded)
    assert len(manifests) > 20
    before = kept(upgraded, manifests)

    looked = upgrade("--dry-run")
    assert (looked.status, kept(upgraded, manifests)) == (2, before), looked.err
    done = upgrade()
    assert done.status == 0, done.err
    assert are_of_today()
    assert kept(upgraded, manifests) == before

    async with calls(tmp_path / KUBECONFIG) as by:
        policy = ClusterPolicy(by, lambda: NOW)
        async with policy.running():
            findings = policy.load().findings
    texts = dict(documents(json.loads(each) for each in before.values()))
    assert {resource.file: each.text for resource, each in policy.read.items()} == texts
    assert not [each for each in findings if each.id.startswith("GW02") or each.id == "GW2202"]


@pytest.mark.usefixtures("helm_is_built")
def test_a_chart_upgraded_and_rolled_back_leaves_definitions_and_documents(upgraded: ApiServer, tmp_path: Path) -> None:
    def run(*arguments: str | Path) -> None:
        told = helm(*arguments, environment={"KUBECONFIG": str(tmp_path / KUBECONFIG)})
        assert told.returncode == 0, told.stdout + told.stderr

    upgraded.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    values = ("--namespace", NAMESPACE, "--values", VALUES / "git.yaml")
    run("install", "gridwright", of_before(tmp_path, EARLIER["8a3d52a"]), *values)
    manifests = live(upgraded)
    before = kept(upgraded, manifests)
    assert upgrade().status == 0
    run("upgrade", "gridwright", CHART, *values, "--set", "replicas=3")
    run("rollback", "gridwright", "--namespace", NAMESPACE)
    assert are_of_today()
    assert kept(upgraded, manifests) == before
    run("uninstall", "gridwright", "--namespace", NAMESPACE)
    run("install", "gridwright", CHART, *values, "--skip-crds")
    assert are_of_today()
    assert kept(upgraded, manifests) == before


def of_before(folder: Path, definitions: list[Manifest]) -> Path:
    """The chart as a release of before had it, with its definitions."""
    chart = folder / "gridwright"
    shutil.copytree(CHART, chart, symlinks=True)
    (chart / "crds").unlink()
    (chart / "crds").mkdir()
    (chart / "crds" / "all.yaml").write_text(yaml.safe_dump_all(definitions))
    return chart


async def test_a_field_that_is_no_more_is_told_before_and_after(upgraded: ApiServer, tmp_path: Path) -> None:
    before = copy.deepcopy(TODAY)
    spec = before["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["altitude"] = {"type": "integer"}
    define(upgraded, [before])
    written = {**SITE, "spec": {"jurisdictions": ["EU"], "altitude": 35}}
    upgraded.create(written)

    refused = upgrade()
    assert (refused.status, refused.out) == (1, "")
    assert "Site/paris .spec.altitude: " in " ".join(refused.err.split())
    assert upgraded.get(one(SITE))["spec"] == written["spec"]

    version = upgraded.get(path_of(TODAY))["metadata"]["resourceVersion"]
    upgraded.replace(path_of(TODAY), {**TODAY, "metadata": {**TODAY["metadata"], "resourceVersion": version}})
    eventually(lambda: upgraded.get(one(SITE))["spec"] == {"jurisdictions": ["EU"]})
    assert upgrade().status == 0  # the other kinds
    upgraded.patch(f"{one(SITE)}/status", {"status": {"conditions": [TOLD], "observedGeneration": 1}})

    async with calls(tmp_path / KUBECONFIG) as by:
        policy = ClusterPolicy(by, lambda: NOW)
        async with policy.running():
            loaded = policy.load()
            (told,) = [each for each in loaded.findings if each.id == "GW2202"]
            assert (told.level, str(told.place)) == (Level.ERROR, "Site/paris.yaml:1:1")
            assert told.message.startswith(".spec.altitude was written")
            assert loaded.policy is None
            (forgets,) = re.findall(r"--patch '(.*)'$", told.hint)
    upgraded.patch(one(SITE), json.loads(forgets))
    async with calls(tmp_path / KUBECONFIG) as by:
        again = ClusterPolicy(by, lambda: NOW)
        async with again.running():
            assert not [each for each in again.load().findings if each.id == "GW2202"]
