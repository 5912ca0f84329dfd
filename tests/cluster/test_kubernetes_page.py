"""docs/kubernetes.md: what it shows to copy is taken as it stands there."""

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from kubernetes_validate import validate

from controller.connections.connections import Connections
from controller.connections.reading import read_connections
from tests.cli.process import gridwright
from tests.cluster.api_server import ApiServer
from tests.cluster.everything import everything
from tests.cluster.helm import NEWEST, ROOT, Manifest, kustomized, manifests, rendered
from tests.cluster.rendering import KUSTOMIZE
from tests.cluster.starting import KUBECONFIG

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("helm_is_built")]


def shown(heading: str, language: str) -> list[str]:
    """The blocks of a language under a heading of the page."""
    page = (ROOT / "docs" / "kubernetes.md").read_text()
    (part,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```", part, re.MULTILINE | re.DOTALL)


def the(kind: str, among: list[Manifest]) -> Any:
    (found,) = [each for each in among if each["kind"] == kind]
    return found


def connections_of(among: list[Manifest], folder: Path) -> Connections:
    """The connections that the pods are given."""
    (folder / "told.yaml").write_text(the("ConfigMap", among)["data"]["connections.yaml"])
    return read_connections(folder / "told.yaml")


def test_the_values_are_ones_that_helm_takes(tmp_path: Path) -> None:
    values, of_database = shown("By Helm", "yaml")
    (tmp_path / "values.yaml").write_text(values)
    (tmp_path / "database.yaml").write_text(of_database)
    beside = manifests(rendered(tmp_path / "values.yaml", "--values", str(tmp_path / "database.yaml")))
    assert connections_of(beside, tmp_path).database is not None
    objects = manifests(rendered(tmp_path / "values.yaml"))
    for each in objects:
        validate(each, NEWEST.rpartition(".")[0], strict=True)
    assert connections_of(objects, tmp_path).cluster is not None
    assert the("Deployment", objects)["spec"]["replicas"] == 2


def test_the_overlay_is_one_that_kustomize_builds(tmp_path: Path) -> None:
    (overlay,) = shown("By Kustomize", "yaml")
    shutil.copytree(KUSTOMIZE.parent / "crds", tmp_path / "crds")
    shutil.copytree(KUSTOMIZE / "base", tmp_path / "kustomize" / "base")
    (tmp_path / "kustomize" / "ours").mkdir()
    (tmp_path / "kustomize" / "ours" / "kustomization.yaml").write_text(overlay)
    objects = kustomized(tmp_path / "kustomize" / "ours")
    assert connections_of(objects, tmp_path).cluster is not None
    (container,) = the("Deployment", objects)["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.org/gridwright:0.1.0"


def test_the_command_is_one_that_a_cluster_takes(
    bare: ApiServer, bare_work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(bare_work / KUBECONFIG))
    (command,), (connections,) = shown("By the command", "console"), shown("By the command", "yaml")
    (tmp_path / "connections.yaml").write_text(connections)
    name, *given = shlex.split(command.removeprefix("$ ").replace("\\\n", ""))
    here = {"CONTEXT": "tests", "connections.yaml": str(tmp_path / "connections.yaml")}
    before = everything(bare)
    ran = gridwright(*(here.get(each, each) for each in given))
    assert (name, ran.status, ran.err) == ("gridwright", 2, "")
    assert "create Deployment gridwright-system/gridwright" in ran.out
    assert everything(bare) == before
