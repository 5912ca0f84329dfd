"""The Helm chart: what it renders, what it refuses, and that nothing in it is said twice."""

import json
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from kubernetes_validate import validate

from controller.cluster.leading.marking import Pod, own_pod
from controller.cluster.names import LEADS
from controller.connections.reading import read_connections
from policy.documents import KINDS
from policy.schema.crd import plural
from policy.schema.files import DEFINITIONS
from tests.cli.process import gridwright
from tests.cluster.helm import CHART, NAMESPACE, OPERATOR, ROOT, VALUES, Manifest, helm, kustomized, manifests, rendered
from tests.cluster.rendering import KUSTOMIZE, SETS, made, parts

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("helm_is_built")]

GIT = VALUES / "git.yaml"
EVERY_SET = pytest.mark.parametrize("values", SETS, ids=lambda values: values.stem)
REFUSED = {
    "replicas=0": "replicas",
    "replicas=two": "replicas",
    "image.tag=a/b": "tag",
    "image.digest=sha256:abc": "digest",
    "policy.address=": "policy",
    "policy.address=https://git.example.org/fleet.git": "address",
    "policy.configMap=fleet": "policy",
    "policy.evidence.secret=attested": "policy",
    "policy.signers=x": "signers",
    "connections.api=0.0.0.0:1": "api",
    "connections.cluster=null": "connections",
    "connections.cluster.servers=null": "servers",
    "policy.cluster=true": "policy",
    "journal.size=2": "size",
    "journal.accessMode=ReadOnlyMany": "accessMode",
    "monitoring.scrape=yes": "scrape",
    "networkPolicy.enabled=maybe": "enabled",
    "colour=red": "colour",
}


@EVERY_SET
def test_a_set_of_values_lints(values: Path) -> None:
    told = helm("lint", CHART, "--strict", "--namespace", NAMESPACE, "--values", values)
    assert told.returncode == 0, told.stdout + told.stderr


def test_what_is_rendered_and_kept_is_what_the_chart_renders() -> None:
    assert [
        path.name for path, text in (*parts().items(), *made().items()) if path.read_text(encoding="utf-8") != text
    ] == []


@pytest.mark.parametrize(("wrong", "named"), REFUSED.items(), ids=REFUSED)
def test_a_wrong_value_is_refused_by_name(wrong: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        rendered(GIT, "--set", wrong)


def test_values_are_asked_for_without_which_nothing_can_run(tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text("{}")
    with pytest.raises(ValueError, match="missing property 'cluster'") as refused:
        rendered(tmp_path / "none.yaml")
    assert "'/policy/address'" in str(refused.value)


def test_replicas_need_something_to_elect_one_by() -> None:
    with pytest.raises(ValueError, match=r"add connections\.cluster, or set replicas to 1"):
        rendered(VALUES / "files.yaml", "--set", "replicas=2")


def test_custom_resources_are_of_a_cluster_that_the_connections_name() -> None:
    without_files = ("--set", "policy.cluster=true,policy.configMap=null")
    with pytest.raises(ValueError, match=r"add connections\.cluster"):
        rendered(VALUES / "files.yaml", *without_files)


def test_a_volume_of_one_node_goes_with_one_replica() -> None:
    with pytest.raises(ValueError, match=r"set journal.accessMode to ReadWriteMany, or replicas to 1"):
        rendered(GIT, "--set", "journal.accessMode=ReadWriteOnce")


def test_with_a_database_each_replica_has_a_volume_of_its_own() -> None:
    found = manifests(rendered(VALUES / "database.yaml"))
    assert not [each for each in found if each["kind"] == "PersistentVolumeClaim"]
    (deployment,) = [each for each in found if each["kind"] == "Deployment"]
    spec = deployment["spec"]["template"]["spec"]
    assert next(each for each in spec["volumes"] if each["name"] == "journal")["emptyDir"] == {"sizeLimit": "2Gi"}
    (policy,) = [each for each in found if each["kind"] == "NetworkPolicy"]
    assert {"ports": [{"port": 5432}]} in policy["spec"]["egress"]


def test_another_namespace_is_refused() -> None:
    with pytest.raises(ValueError, match="add --namespace gridwright-system"):
        rendered(GIT, "--namespace", "elsewhere")


@EVERY_SET
def test_the_connections_are_a_document_that_the_controller_reads(values: Path, tmp_path: Path) -> None:
    (kept,) = [each for each in manifests(rendered(values)) if each["kind"] == "ConfigMap"]
    (tmp_path / "connections.yaml").write_text(kept["data"]["connections.yaml"])
    read = read_connections(tmp_path / "connections.yaml")
    given = yaml.safe_load(values.read_text())["connections"]
    sites = {"sites.address": "0.0.0.0:8790"} if "sites" in given else {}
    listened_at = {"api": "0.0.0.0:8780", "otlp": "0.0.0.0:4318", "otlpGrpc": "0.0.0.0:4317"}
    assert read.listened_at() == listened_at | sites
    assert read.servers.keys() == given.get("servers", {}).keys()
    assert (read.cluster is None) == ("cluster" not in given)


def test_the_command_takes_what_the_pod_gives_it(tmp_path: Path) -> None:
    (pod,) = [each["spec"]["template"] for each in manifests(rendered(GIT)) if each["kind"] == "Deployment"]
    (container,) = pod["spec"]["containers"]
    told = [each.replace("$(GRIDWRIGHT_POLICY)", str(tmp_path)) for each in container["args"]]
    ran = gridwright(*(each.replace("$(GRIDWRIGHT_ENVIRONMENT)", "") for each in told))
    # It goes as far as what this machine does not have.
    assert "/etc/gridwright/connections/connections.yaml: cannot be read" in ran.err


def test_monitors_and_rules_are_left_out_where_nobody_serves_their_kinds() -> None:
    of_operator = {each["kind"] for each in manifests(rendered(VALUES / "files.yaml", "--api-versions", OPERATOR))}
    assert of_operator - {each["kind"] for each in manifests(rendered(VALUES / "files.yaml"))} == {
        "PodMonitor",
        "PrometheusRule",
    }


@EVERY_SET
@pytest.mark.parametrize("version", ["1.34", "1.35", "1.36"])
def test_what_is_rendered_fits_the_schemas_of_every_version(values: Path, version: str) -> None:
    for manifest in manifests(rendered(values)):
        validate(manifest, version, strict=True)


def test_the_definitions_are_those_of_the_schema() -> None:
    shown = {each["metadata"]["name"]: each for each in manifests(helm("show", "crds", CHART).stdout)}
    kept = [yaml.safe_load(file.read_text()) for file in DEFINITIONS.glob("*.yaml")]
    assert shown == {each["metadata"]["name"]: each for each in kept}


def test_the_chart_has_the_version_of_the_package() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (chart["version"], chart["appVersion"]) == (version, version)


def test_the_service_leads_to_the_pod_that_leads_where_one_is_elected() -> None:
    def selected(values: Path) -> Manifest:
        (service,) = [each for each in manifests(rendered(values)) if each["kind"] == "Service"]
        (deployment,) = [each for each in manifests(rendered(values)) if each["kind"] == "Deployment"]
        return dict(service["spec"]["selector"].items() - deployment["spec"]["template"]["metadata"]["labels"].items())

    assert {values.stem: selected(values) for values in (GIT, VALUES / "files.yaml")} == {
        "git": {LEADS: "true"},
        "files": {},
    }


def test_the_pod_is_told_which_one_it_is() -> None:
    (pod,) = [each["spec"]["template"] for each in manifests(rendered(GIT)) if each["kind"] == "Deployment"]
    (container,) = pod["spec"]["containers"]
    fields = {
        each["name"]: each["valueFrom"]["fieldRef"]["fieldPath"]
        for each in container["env"]
        if "fieldRef" in each.get("valueFrom", {})
    }
    assert own_pod(fields) == Pod("metadata.name", "metadata.namespace")


def test_every_kind_of_document_may_be_read() -> None:
    (role,) = [each for each in manifests(rendered(GIT)) if each["kind"] == "ClusterRole"]
    documents = [set(rule["resources"]) for rule in role["rules"] if rule["apiGroups"] == ["gridwright.dev"]]
    assert {plural(kind) for kind in KINDS} in documents


def test_every_value_is_named_by_the_schema() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert values.keys() == schema["properties"].keys() - {"global"}
    for name, value in values.items():
        properties = schema["properties"][name].get("properties")
        if isinstance(value, dict) and value and properties:
            assert value.keys() == properties.keys(), name


def test_kustomize_builds_what_the_chart_renders() -> None:
    built = kustomized(KUSTOMIZE / "base")
    whole = yaml.safe_load_all((KUSTOMIZE / "base" / "gridwright.yaml").read_text())
    expected = [*whole, *(yaml.safe_load(file.read_text()) for file in DEFINITIONS.glob("*.yaml"))]
    assert {identity(each): each for each in built} == {identity(each): each for each in expected}


def identity(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def test_the_alerts_are_ones_that_prometheus_takes(tmp_path: Path) -> None:
    promtool = ROOT / ".venv-promtool" / "promtool"
    if not promtool.is_file():
        pytest.skip("promtool is not here: install Prometheus")
    (rule,) = [
        each
        for each in manifests(rendered(VALUES / "files.yaml", "--api-versions", OPERATOR))
        if each["kind"] == "PrometheusRule"
    ]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rule["spec"]))
    told = subprocess.run(
        [promtool, "check", "rules", "--lint=all", "--lint-fatal", tmp_path / "rules.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
