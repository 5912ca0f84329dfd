"""What an installation is, without a cluster."""

from typing import Any

import pytest
import yaml

from controller.cluster.installation.installed import (
    SETTINGS,
    Settings,
    installed,
    is_supported,
    name_of,
    path_of,
    questions,
)
from policy.documents import KINDS

SERVERS = {"servers": {"edge": {"http": "10.0.0.7:8000", "grpc": "10.0.0.7:8001", "metrics": "10.0.0.7:8002"}}}
TOLD = Settings("registry.example.org/gridwright:1", "git+https://git.example.org/fleet.git@main", SERVERS, "prod")


def the(kind: str, settings: Settings = TOLD) -> dict[str, Any]:
    """The one object of a kind."""
    (found,) = [each for each in installed(settings) if each["kind"] == kind]
    return found


def test_it_is_the_same_objects_whatever_it_is_told() -> None:
    assert list(map(name_of, installed())) == list(map(name_of, installed(TOLD)))


def test_what_others_need_comes_first() -> None:
    kinds = [each["kind"] for each in installed(TOLD)]
    assert kinds[0] == "Namespace"
    assert kinds.count("CustomResourceDefinition") == len(KINDS)
    for needed in ("ServiceAccount", "ConfigMap", "PersistentVolumeClaim", "ClusterRoleBinding", "RoleBinding"):
        assert kinds.index(needed) < kinds.index("Deployment")


def test_the_config_map_says_what_it_is_told() -> None:
    data = the("ConfigMap")["data"]
    assert (data["policy"], data["environment"]) == (TOLD.policy, "prod")
    connections = yaml.safe_load(data["connections.yaml"])
    assert connections["servers"] == SERVERS["servers"]
    assert (connections["api"], connections["beyondLoopback"]) == ("0.0.0.0:8780", True)


def test_the_pods_run_the_image_and_are_replaced_when_they_are_told_something_else() -> None:
    pod = the("Deployment")["spec"]["template"]
    other = the("Deployment", Settings(TOLD.image, TOLD.policy, SERVERS, "dev"))["spec"]["template"]
    assert [each["image"] for each in pod["spec"]["containers"]] == [TOLD.image]
    assert pod["spec"] == other["spec"]
    assert pod["metadata"]["annotations"][SETTINGS] != other["metadata"]["annotations"][SETTINGS]


@pytest.mark.parametrize(
    ("version", "holds"),
    [
        ({"major": "1", "minor": "33"}, False),
        ({"major": "1", "minor": "34"}, True),
        ({"major": "1", "minor": "35+"}, True),
        ({"major": "1", "minor": "36"}, True),
        ({"major": "1", "minor": "37"}, False),
        ({"major": "2", "minor": "35"}, False),
        ({"major": "1", "minor": ""}, False),
        ({}, False),
    ],
)
def test_three_versions_are_supported(version: dict[str, str], holds: bool) -> None:  # noqa: FBT001 -- a case
    assert is_supported(version) == holds


def test_an_object_is_called_and_found_by_its_namespace() -> None:
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "b"}}
    assert name_of(manifest) == "Deployment b/a"
    assert path_of(manifest) == "/apis/apps/v1/namespaces/b/deployments/a"


def test_a_right_is_asked_for_once() -> None:
    asked = [tuple(each.values()) for each in questions(installed(TOLD), ("get", "patch"))]
    assert len(asked) == len(set(asked))
    assert ("apiextensions.k8s.io", "customresourcedefinitions", "", "patch") in asked
    assert ("", "configmaps", "gridwright-system", "get") in asked
