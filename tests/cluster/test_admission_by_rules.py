"""The API server denies and admits pods as the rules on compliance judge them, in every example of every rule."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from controller.admission.manifests import SERVICE, STAGE, manifests
from controller.admission.policy import ALLOWED
from tests.admission.test_admission_policies import CASES, permitted
from tests.cluster.api_server import ApiServer, Manifest, eventually, message
from tests.cluster.pods import Namespace, namespace

pytestmark = pytest.mark.cluster

NUMBERED = [(number, rule, example) for number, (rule, example) in enumerate(CASES)]
NAMES = [f"{rule}: {example.name}" for _, rule, example in NUMBERED]
IS_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class Exported:
    """A case as it stands in the cluster: what was exported of it, and a namespace for each stage."""

    answers: dict[tuple[str, str], dict[str, str]]
    namespaces: dict[tuple[str, str], Namespace]


def apart(manifest: Manifest, case: str) -> Manifest:
    """A manifest of a case with a service or a pool that no other case has: all of them stand in one cluster."""
    metadata = {**manifest["metadata"], "name": f"{manifest['metadata']['name']}.{case}"}
    if manifest["kind"] == "ConfigMap":
        return {**manifest, "metadata": metadata}
    spec = manifest["spec"]
    labels = spec["matchResources"]["namespaceSelector"]["matchLabels"]
    first = next(iter(labels))
    selected = {"namespaceSelector": {"matchLabels": {**labels, first: f"{labels[first]}.{case}"}}}
    parameter = {**spec["paramRef"], "name": f"{spec['paramRef']['name']}.{case}"}
    return {**manifest, "metadata": metadata, "spec": {**spec, "paramRef": parameter, "matchResources": selected}}


def standing(server: ApiServer, number: int, example: Any) -> Exported:
    """Apply what is exported of a case, the policies aside, and make a namespace for each stage of a path."""
    case = f"case-{number}"
    exported = [each for each in manifests(example.problem) if not each["kind"].endswith("Policy")]
    for manifest in exported:
        server.create(apart(manifest, case))
    answers = {
        (each["metadata"]["labels"][SERVICE], each["metadata"]["labels"][STAGE]): each["data"]
        for each in exported
        if each["kind"] == "ConfigMap" and STAGE in each["metadata"]["labels"]
    }
    stages = sorted({(service, stage) for service, stage, _ in permitted(example.problem)})
    namespaces = {
        (service, stage): namespace(server, f"{case}-{index}", f"{service}.{case}", stage)
        for index, (service, stage) in enumerate(stages)
    }
    return Exported(answers, namespaces)


def is_judged(where: Namespace) -> bool:
    """Whether both policies have what they judge a namespace by: they tell it of a node that nobody knows."""
    told = (where.pod("probe", "nowhere"), where.bind("probe", "nowhere"))
    return all(each.status_code == IS_FORBIDDEN and "nothing is known of it" in message(each) for each in told)


@pytest.fixture(scope="module")
def cluster(guarded: ApiServer) -> list[Exported]:
    """Every case in one cluster, once the server has taken in all of them."""
    cases = [standing(guarded, number, example) for number, _, example in NUMBERED]
    for case in cases:
        for key in case.answers.keys() & case.namespaces.keys():
            eventually(partial(is_judged, case.namespaces[key]))
    return cases


@pytest.mark.parametrize(("number", "rule", "example"), NUMBERED, ids=NAMES)
def test_pods_come_to_a_node_exactly_where_the_checks_of_the_rules_are_silent(
    cluster: list[Exported], number: int, rule: str, example: Any
) -> None:
    case, problem = cluster[number], example.problem
    for (service, stage, pool), allowed in permitted(problem).items():
        where, answers = case.namespaces[service, stage], case.answers.get((service, stage))
        for node in problem.policy.pool(pool).node_names():
            assert where.pod(f"scheduled-{node}").is_success
            bound = where.bind(f"scheduled-{node}", node)
            named = where.pod(f"named-{node}", node)
            expected = allowed or answers is None
            assert (bound.is_success, named.is_success) == (expected, expected), (rule, bound.text, named.text)
            assert where.node_of(f"scheduled-{node}") == (node if expected else None)
            if answers is not None and not expected:
                assert answers[node] != ALLOWED
                for denied in (bound, named):
                    assert denied.status_code == IS_FORBIDDEN
                    assert message(denied).endswith(f"node {node} may not run this pod: {answers[node]}")
