"""The objects that a plan asks for: as Kubernetes has them, and where the plan says."""

import re
from dataclasses import replace
from typing import Any

import pytest
from kubernetes_validate import validate
from pydantic import ValidationError

from controller.cluster.names import MOST_SERVER, SYSTEM, as_label, namespace_of, pod_of, server_of
from controller.cluster.servers.settings import Repository, ServerSettings
from controller.cluster.servers.workloads import workloads
from policy.findings import Place
from policy.resolved import Pool, Purchase

POOL = Pool("edge-paris", "paris", "card", 3, 8_000, 1_000, 10, Purchase.OWNED, Place("fleet.yaml", 7, 1))
CPU = replace(POOL, name="office", device="xeon")
NODES = frozenset({"gpu-b", "gpu-a"})
SETTINGS = ServerSettings.model_validate(
    {
        "image": "registry.example/tritonserver:24.10-py3",
        "repository": {"claim": "models"},
        "devices": {"card": "nvidia.com/gpu", "xeon": None},
        "traces": {"url": "http://gridwright.gridwright-system:4318", "rate": 10},
        "pools": {"office": {"cpu": "500m", "memory": "1Gi"}},
    }
)


def made(*pools: Pool, used: dict[str, frozenset[str]], settings: ServerSettings = SETTINGS) -> list[dict[str, Any]]:
    return list(workloads(pools, used, settings).manifests)


def servers(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in manifests if each["kind"] == "StatefulSet"]


def pod(manifest: dict[str, Any]) -> Any:
    return manifest["spec"]["template"]["spec"]


@pytest.mark.parametrize("repository", [{"claim": "models"}, {"url": "s3://fleet/models", "secret": "store"}])
def test_the_manifests_are_as_kubernetes_has_them(repository: dict[str, str]) -> None:
    settings = SETTINGS.model_copy(update={"repository": Repository.model_validate(repository)})
    manifests = made(POOL, CPU, used={"edge-paris": NODES, "office": frozenset({"desk"})}, settings=settings)
    kinds = {each["kind"] for each in manifests}
    assert kinds >= {"Namespace", "StatefulSet", "Service", "PodDisruptionBudget", "NetworkPolicy", "PriorityClass"}
    for manifest in manifests:
        validate(manifest, "1.36", strict=True)


def test_a_server_runs_on_each_planned_node_and_may_run_on_no_other() -> None:
    for manifest, node in zip(servers(made(POOL, used={"edge-paris": NODES})), sorted(NODES), strict=True):
        affinity = pod(manifest)["affinity"]["nodeAffinity"]
        (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        assert term == {
            "matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}],
            "matchExpressions": [{"key": "gridwright.dev/pool", "operator": "In", "values": ["edge-paris"]}],
        }
        assert manifest["spec"]["replicas"] == 1


def test_one_node_less_changes_no_other_server() -> None:
    before = servers(made(POOL, used={"edge-paris": frozenset({"a", "b", "c"})}))
    after = servers(made(POOL, used={"edge-paris": frozenset({"a", "c"})}))
    assert after == [before[0], before[2]]


def test_a_pool_that_is_not_used_keeps_its_namespace_and_has_no_server() -> None:
    manifests = made(POOL, used={})
    assert servers(manifests) == []
    assert {"Namespace", "NetworkPolicy"} <= {each["kind"] for each in manifests}


def test_a_device_is_asked_for_by_its_resource_and_a_cpu_is_not() -> None:
    card, xeon = servers(made(POOL, CPU, used={"edge-paris": frozenset({"a"}), "office": frozenset({"desk"})}))
    assert pod(card)["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    held = pod(xeon)["containers"][0]["resources"]
    assert held["requests"] == {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "4Gi"}
    assert "nvidia.com/gpu" not in str(pod(xeon))


def test_a_device_that_nobody_named_is_told_and_its_pool_is_left_out() -> None:
    found = workloads((replace(POOL, device="h100"),), {"edge-paris": NODES}, SETTINGS)
    assert servers(list(found.manifests)) == []
    (finding,) = found.findings
    assert (finding.id, finding.place) == ("GW2130", POOL.place)
    assert "h100" in finding.message


def test_nothing_goes_with_the_pools_custom_resource() -> None:
    found = workloads((POOL,), {"edge-paris": NODES}, SETTINGS).manifests
    assert len(found) == 8
    assert not any("ownerReferences" in each["metadata"] for each in found)


def test_a_pod_is_killed_only_after_it_had_the_time_to_drain_and_to_finish() -> None:
    (manifest,) = servers(made(POOL, used={"edge-paris": frozenset({"a"})}))
    spec, container = pod(manifest), pod(manifest)["containers"][0]
    assert container["lifecycle"]["preStop"]["sleep"]["seconds"] == SETTINGS.drain_s
    assert f"--exit-timeout-secs={SETTINGS.exit_s}" in container["command"]
    assert spec["terminationGracePeriodSeconds"] > SETTINGS.drain_s + SETTINGS.exit_s


def test_traces_go_to_the_path_of_the_pool() -> None:
    (manifest,) = servers(made(POOL, used={"edge-paris": frozenset({"a"})}))
    told = "--trace-config=opentelemetry,url=http://gridwright.gridwright-system:4318/otlp/edge-paris/v1/traces"
    assert told in pod(manifest)["containers"][0]["command"]


@pytest.mark.parametrize(
    "name", ["gpu-a", "ip-10-0-1-23.eu-west-1.compute.internal", "x" * 63, "a.b", "a-b", "9", "A_b", "é"]
)
def test_a_name_becomes_a_label_that_no_other_name_has(name: str) -> None:
    found = as_label(name, MOST_SERVER)
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", found)
    assert len(found) <= MOST_SERVER
    others = {as_label(each, MOST_SERVER) for each in (f"{name}x", f"{name}.", name.replace(".", "-") + "y")}
    assert found not in others


def test_names_that_are_labels_stay_as_they_are() -> None:
    assert (namespace_of("edge-paris"), server_of("gpu-a"), pod_of("gpu-a")) == (
        "gridwright-edge-paris",
        "gpu-a",
        "gpu-a-0",
    )
    assert namespace_of("a.b") != namespace_of("a-b")


def test_a_pool_never_has_the_namespace_of_the_controller() -> None:
    found = namespace_of("system")
    assert re.fullmatch(r"gridwright-system-[0-9a-f]{8}", found)
    assert found != namespace_of("System") != SYSTEM
    manifests = made(replace(POOL, name="system"), used={"system": NODES})
    spaces = {each["metadata"].get("namespace", found) for each in manifests if each["kind"] != "PriorityClass"}
    assert spaces == {found}


@pytest.mark.parametrize(
    "repository", [{}, {"claim": "a", "url": "s3://b"}, {"claim": "a", "secret": "b"}, {"url": "ftp://b"}]
)
def test_a_repository_is_a_claim_or_an_address(repository: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Repository.model_validate(repository)
