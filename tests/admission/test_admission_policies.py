"""The admission policies: as Kubernetes has them, and with the answers of the rules on compliance."""

import importlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import celpy
import pytest
import yaml
from celpy.adapter import json_to_cel
from kubernetes_validate import validate

from collectors.evidence.records import FOREVER, Evidence
from controller.admission.judging import Objection, Protected, judged, question
from controller.admission.manifests import as_yaml, manifests
from controller.admission.policy import ALLOWED
from policy.findings import Place
from policy.resolved import Policy
from policy.source import load
from rules.catalogue import COMPLIANCE, OF_POOLS
from rules.kernel.measure import Visit, visits
from rules.kernel.plan import Plan, Route
from rules.kernel.problem import Problem

ROOT = Path(__file__).parents[2]
NOW_S = 1_900_000_000
HERE = Place("evidence.yaml", 1, 1)
CASES = [
    (rule.id, example)
    for rule in OF_POOLS
    for example in importlib.import_module(f"tests.rules.examples.{rule.id}").EXAMPLES
]


@pytest.fixture(scope="module")
def policy() -> Policy:
    loaded = load(ROOT / "examples" / "health").policy
    assert loaded is not None
    return loaded


class Cluster:
    """The manifests as an API server would hold them; their expressions are evaluated by an implementation of CEL."""

    def __init__(self, written: list[dict[str, Any]]) -> None:
        self.documents: list[dict[str, Any]] = list(yaml.safe_load_all(as_yaml(written)))

    def of(self, kind: str) -> Iterator[dict[str, Any]]:
        return (each for each in self.documents if each["kind"] == kind)

    def judge(self, resource: str, namespace: dict[str, str], body: dict[str, Any]) -> list[str]:
        """The messages with which a request is denied; none when it is admitted."""
        denied = []
        for binding in self.of("ValidatingAdmissionPolicyBinding"):
            spec = binding["spec"]
            (policy,) = (each for each in self.of("ValidatingAdmissionPolicy") if named(each) == spec["policyName"])
            rules = policy["spec"]["matchConstraints"]["resourceRules"]
            if not selects(spec["matchResources"]["namespaceSelector"], namespace) or not any(
                resource in rule["resources"] for rule in rules
            ):
                continue
            asked = {"object": body, "namespaceObject": {"metadata": {"labels": namespace}}}
            if all(evaluated(each["expression"], asked) for each in policy["spec"].get("matchConditions", [])):
                denied += self._validated(policy, spec["paramRef"], asked)
        return denied

    def _validated(self, policy: dict[str, Any], reference: dict[str, str], asked: dict[str, Any]) -> Iterator[str]:
        maps = [
            each
            for each in self.of("ConfigMap")
            if (named(each), each["metadata"]["namespace"]) == (reference["name"], reference["namespace"])
        ]
        if not maps:
            assert reference["parameterNotFoundAction"] == "Deny"
            yield "no parameter"
        for params in maps:
            for validation in policy["spec"]["validations"]:
                if not evaluated(validation["expression"], {**asked, "params": params}):
                    yield str(evaluated(validation["messageExpression"], {**asked, "params": params}))


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a selector, by labels or by their being there, means what has some labels."""
    assert all(each["operator"] == "Exists" for each in selector.get("matchExpressions", ()))
    there = all(each["key"] in labels for each in selector.get("matchExpressions", ()))
    return there and bool(selector.get("matchLabels", {}).items() <= labels.items())


def named(manifest: dict[str, Any]) -> str:
    name: str = manifest["metadata"]["name"]
    return name


def evaluated(expression: str, variables: dict[str, Any]) -> Any:
    environment = celpy.Environment()
    program = environment.program(environment.compile(expression))
    return program.evaluate({name: json_to_cel(value) for name, value in variables.items()})


def labels(service: str, stage: str) -> dict[str, str]:
    return {"gridwright.dev/service": service, "gridwright.dev/stage": stage}


def bound(cluster: Cluster, service: str, stage: str, node: str) -> list[str]:
    body = {"metadata": {"name": "a-pod"}, "target": {"kind": "Node", "name": node}}
    return cluster.judge("pods/binding", labels(service, stage), body)


def permitted(problem: Problem) -> dict[tuple[str, str, str], bool]:
    """By service, stage and pool, whether the checks of the rules are silent for the requests of some origin."""
    found: dict[tuple[str, str, str], bool] = {}
    for path in problem.paths:
        plan = Plan(routes=(Route(path.id, 1000),))
        violations = [violation for rule in OF_POOLS for violation in rule.check(plan, problem)]
        for visit in visits(plan, problem):
            key = (visit.demand.service, visit.stage.name, visit.option.placement.pool)
            found[key] = found.get(key, False) or not broken(visit, violations)
    return found


def broken(visit: Visit, violations: list[Any]) -> bool:
    return any(violation.subject == str(visit) for violation in violations)


@pytest.mark.parametrize(("rule", "example"), CASES, ids=[f"{rule}: {example.name}" for rule, example in CASES])
def test_a_pod_is_admitted_exactly_where_the_checks_of_the_rules_are_silent(rule: str, example: Any) -> None:
    problem = example.problem
    cluster = Cluster(manifests(problem))
    covered = {(each.service, each.stage) for each in judged(problem)}
    assert covered, rule
    for (service, stage, pool), allowed in permitted(problem).items():
        for node in problem.policy.pool(pool).node_names():
            told = bound(cluster, service, stage, node)
            assert (told == []) == (allowed or (service, stage) not in covered), (rule, example.name, node, told)


@pytest.mark.parametrize("rule", [rule.id for rule in OF_POOLS])
def test_the_examples_of_a_rule_have_pods_of_both_kinds(rule: str) -> None:
    answers = [allowed for name, example in CASES if name == rule for allowed in permitted(example.problem).values()]
    assert {True, False} == set(answers)


def test_every_rule_on_clauses_of_compliance_is_asked() -> None:
    page = (ROOT / "docs/rules.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| `ComplianceProfile`", page, re.MULTILINE)
    assert {rule.id for rule in COMPLIANCE} == set(rows)


def test_the_manifests_are_as_kubernetes_has_them(policy: Policy) -> None:
    documents = Cluster(manifests(question(policy, (), NOW_S))).documents
    assert {each["kind"] for each in documents} >= {"ValidatingAdmissionPolicy", "ConfigMap"}
    for document in documents:
        validate(document, "1.36", strict=True)


def test_a_refusal_names_the_node_the_reason_and_the_clause(policy: Policy) -> None:
    cluster = Cluster(manifests(question(policy, (), NOW_S)))
    (told,) = bound(cluster, "x-ray-triage", "deidentify", "hospital-0")
    assert told.startswith("node hospital-0 may not run this pod: hospital does not hold ")
    assert re.search(r"\(compliance\.yaml:\d+:\d+\)$", told)


def test_what_nobody_told_of_is_a_no(policy: Policy) -> None:
    problem = question(policy, (), NOW_S)
    cluster = Cluster(manifests(problem))
    (service, stage) = next((each.service, each.stage) for each in judged(problem))
    assert bound(cluster, service, stage, "unheard-of") == [
        "node unheard-of may not run this pod: nothing is known of it"
    ]
    cluster.documents = [each for each in cluster.documents if each["kind"] != "ConfigMap"]
    assert bound(cluster, service, stage, "hospital-0") == ["no parameter"]
    empty = {"apiVersion": "v1", "kind": "ConfigMap"}
    cluster.documents.append(
        {**empty, "metadata": {"name": f"{service}--{stage}", "namespace": "gridwright-system"}},
    )
    assert len(bound(cluster, service, stage, "hospital-0")) == 1


def test_a_pod_that_names_its_node_is_judged_as_it_is_made_and_another_is_not_yet(policy: Policy) -> None:
    problem = question(policy, (), NOW_S)
    cluster = Cluster(manifests(problem))
    protected = next(each for each, pools in judged(problem).items() if isinstance(pools["hospital"], Objection))
    where = labels(protected.service, protected.stage)
    assert len(cluster.judge("pods", where, {"spec": {"nodeName": "hospital-0"}})) == 1
    assert cluster.judge("pods", where, {"spec": {"nodeName": ""}}) == []
    assert cluster.judge("pods", where, {"spec": {}}) == []


@pytest.mark.parametrize("resource", ["pods/binding", "bindings"])
def test_both_ways_to_bind_are_judged(policy: Policy, resource: str) -> None:
    cluster = Cluster(manifests(question(policy, (), NOW_S)))
    body = {"target": {"name": "unheard-of"}}
    assert len(cluster.judge(resource, labels("x-ray-triage", "deidentify"), body)) == 1


def test_other_namespaces_are_let_be(policy: Policy) -> None:
    cluster = Cluster(manifests(question(policy, (), NOW_S)))
    assert cluster.judge("pods/binding", {"team": "other"}, {"target": {"name": "unheard-of"}}) == []


def test_a_reason_can_never_be_taken_for_a_yes(policy: Policy) -> None:
    problem = question(policy, (), NOW_S)
    reasons = [str(each) for pools in judged(problem).values() for each in pools.values() if each]
    assert reasons
    assert ALLOWED not in reasons


def annotated(problem: Problem) -> set[str]:
    """Until when the answers are said to hold."""
    maps = Cluster(manifests(problem)).of("ConfigMap")
    return {each["metadata"]["annotations"]["gridwright.dev/valid-until"] for each in maps}


def certificate(name: str, from_s: int, until_s: int) -> Evidence:
    start, end = (datetime.fromtimestamp(NOW_S + each, UTC) for each in (from_s, until_s))
    return Evidence(name, "pool", "hospital", "iso-27001", (1,), "board", start, end, HERE)


def test_the_answers_are_good_until_the_first_evidence_could_change_them(policy: Policy) -> None:
    held = (certificate("first", -10, 5_000), certificate("second", 3_000, 9_000))
    ahead = replace(policy, scaling=replace(policy.scaling, evidence_lead_s=600))
    (until,) = annotated(question(ahead, held, NOW_S))
    assert until == "2030-03-17T18:26:41Z"
    assert Protected("x-ray-triage", "deidentify") in judged(question(ahead, held, NOW_S))


def test_evidence_that_never_ends_sets_no_time() -> None:
    loaded = load(ROOT / "examples" / "confidential").policy
    assert loaded is not None
    since = datetime.fromtimestamp(NOW_S - 10, UTC)
    (digest, *_) = (variant.digest for model in loaded.models for variant in model.variants)
    word = Evidence("a", "artefact", digest, "slsa", (3,), loaded.issuers[0].iss, since, FOREVER, HERE)
    assert annotated(question(loaded, (word,), NOW_S)) == {"the policy or its evidence changes"}
    ends = replace(word, expires_at=since + timedelta(days=1))
    (until,) = annotated(question(loaded, (word, ends), NOW_S))
    assert until.startswith("2030-03-18T")


def test_others_stay_out_of_a_pool_that_is_dedicated_though_no_profile_covers_them() -> None:
    loaded = load(ROOT / "examples" / "factory").policy
    assert loaded is not None
    answers = judged(question(loaded, (), NOW_S))
    guide = answers[Protected("guide", "find")]
    assert {pool for pool, against in guide.items() if against is None} == {"ulm-old", "office-cards"}
    assert answers[Protected("belt-inspection", "judge")]["office-cards"] is not None


def test_answers_that_change_in_the_next_second_are_said_to(policy: Policy) -> None:
    ahead = replace(policy, scaling=replace(policy.scaling, evidence_lead_s=600))
    held = (certificate("first", -10, 600),)
    (until,) = annotated(question(ahead, held, NOW_S))
    assert until == "2030-03-17T17:46:41Z"
