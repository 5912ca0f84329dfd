"""What `gridwright export admission` writes, applied as it is, and what a server does where something is not there."""

from pathlib import Path

import httpx
import pytest
import yaml

from controller.admission.manifests import SERVICE, STAGE
from controller.admission.policy import ALLOWED
from tests.cli.process import ROOT, gridwright
from tests.cluster.api_server import ApiServer, Manifest, eventually, message, one
from tests.cluster.pods import Namespace, namespace
from tests.cluster.whole import played

pytestmark = pytest.mark.cluster

PROTECTED = ("x-ray-triage", "deidentify")
IN_CLUSTER = {SERVICE: PROTECTED[0], STAGE: PROTECTED[1]}
YES, NO = "hospital-0", "paris-reserved-0"


@pytest.fixture(scope="module")
def exported(guarded: ApiServer) -> list[Manifest]:
    """What is exported of the example `health`, once it is in force."""
    written = list(yaml.safe_load_all(gridwright("export", "admission", ROOT / "examples/health").out))
    for manifest in written:
        if manifest["kind"] != "ValidatingAdmissionPolicy":
            guarded.create(manifest)
    probe = namespace(guarded, "probe", *PROTECTED)
    eventually(lambda: all("nothing is known" in each.text for each in (probe.pod("a", "b"), probe.bind("a", "b"))))
    return written


@pytest.fixture
def answers(exported: list[Manifest]) -> Manifest:
    """What pods of the protected stage are judged by."""
    maps = [each for each in exported if each["kind"] == "ConfigMap"]
    return next(each for each in maps if each["metadata"]["labels"] == IN_CLUSTER)


def waiting(server: ApiServer, name: str, labels: tuple[str, str] = PROTECTED) -> Namespace:
    """A new namespace of a stage, with a pod that waits for a node."""
    made = namespace(server, name, *labels)
    assert made.pod("waiting").is_success
    return made


def test_the_policies_are_the_ones_that_every_case_is_judged_by(guarded: ApiServer, exported: list[Manifest]) -> None:
    for manifest in exported:
        if manifest["kind"] == "ValidatingAdmissionPolicy":
            kept = guarded.get(one(manifest))["spec"]
            assert [kept[key] for key in ("validations", "paramKind", "failurePolicy")] == [
                manifest["spec"][key] for key in ("validations", "paramKind", "failurePolicy")
            ]


def test_the_nodes_of_a_cluster_are_judged_by_their_own_names(
    guarded: ApiServer, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch, answers: Manifest
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    for name, pool in (("gpu-17", YES.removesuffix("-0")), ("gpu-18", NO.removesuffix("-0"))):
        guarded.create(played(name, pool))
    ran = gridwright("export", "admission", ROOT / "examples/health", "--nodes-of", "tests")
    assert ran.status == 0, ran.err
    (found,) = [
        each
        for each in yaml.safe_load_all(ran.out)
        if each["kind"] == "ConfigMap" and each["metadata"]["labels"] == IN_CLUSTER
    ]
    assert found["data"].keys() == {"gpu-17", "gpu-18"}
    assert found["data"]["gpu-17"] == ALLOWED == answers["data"][YES]
    assert found["data"]["gpu-18"].partition(", needed until")[0] == answers["data"][NO].partition(", needed until")[0]
    assert gridwright("export", "admission", ROOT / "examples/health", "--nodes-of", "elsewhere").status == 1


def test_a_refusal_names_the_node_the_reason_and_the_clause(guarded: ApiServer, answers: Manifest) -> None:
    refused = waiting(guarded, "refused").bind("waiting", NO)
    assert refused.status_code == httpx.codes.FORBIDDEN
    assert message(refused).endswith(f"node {NO} may not run this pod: {answers['data'][NO]}")
    assert "compliance.yaml:" in answers["data"][NO]


@pytest.mark.parametrize("resource", ["pods/binding", "bindings"])
def test_both_ways_to_bind_are_judged(guarded: ApiServer, answers: Manifest, resource: str) -> None:
    assert answers["data"][YES] == ALLOWED
    where, old = waiting(guarded, resource.replace("/", "-")), resource == "bindings"
    assert where.bind("waiting", NO, old=old).status_code == httpx.codes.FORBIDDEN
    assert where.node_of("waiting") is None
    assert where.bind("waiting", YES, old=old).is_success
    assert where.node_of("waiting") == YES


@pytest.mark.usefixtures("exported")
def test_a_pod_that_names_no_node_is_left_to_its_binding(guarded: ApiServer) -> None:
    where = waiting(guarded, "unnamed")
    assert where.pod("empty", "").is_success
    assert where.bind("empty", NO).status_code == httpx.codes.FORBIDDEN


@pytest.mark.usefixtures("exported")
def test_other_namespaces_are_let_be(guarded: ApiServer) -> None:
    where = waiting(guarded, "others", ("somebody-elses", "stage"))
    assert where.bind("waiting", NO).is_success
    assert where.pod("named", NO).is_success


def test_without_a_parameter_everything_is_refused_until_it_is_back(guarded: ApiServer, answers: Manifest) -> None:
    where = waiting(guarded, "unknown")
    guarded.delete(answers)
    eventually(lambda: "no params found" in where.bind("waiting", NO).text)
    for refused in (where.bind("waiting", YES), where.pod("named", YES)):
        assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert message(refused).endswith("no params found for policy binding with `Deny` parameterNotFoundAction")
    guarded.create({key: each for key, each in answers.items() if key != "data"})
    eventually(lambda: "nothing is known of it" in where.bind("waiting", NO).text)
    for refused in (where.bind("waiting", YES), where.pod("named", YES)):
        assert message(refused).endswith(f"node {YES} may not run this pod: nothing is known of it")
    guarded.delete(answers)
    guarded.create(answers)
    eventually(lambda: where.bind("waiting", YES).is_success)
    assert where.node_of("waiting") == YES
