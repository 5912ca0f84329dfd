"""ValidatingAdmissionPolicies of Kubernetes and what they judge by, from a policy and its evidence.

Two policies judge every pod of a namespace that is labelled with a protected service and stage, or with a pool: one its
binding to a node, which is how the scheduler places a pod, one a pod that names its node as it is made and so never
meets the scheduler. Both look the node up in a ConfigMap; a node that is not in it, and a ConfigMap that is not there,
is a no.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from collectors.evidence.records import FOREVER
from controller.admission.judging import Objection, Protected, judged
from controller.admission.servers import Use, servers_judged
from controller.cluster.names import POOL
from rules.kernel.evidence import Attested, Held, Vouched
from rules.kernel.problem import Problem
from rules.kernel.quantities import instant

NAMESPACE: Final = "gridwright-system"
SERVICE: Final = "gridwright.dev/service"
STAGE: Final = "gridwright.dev/stage"
VALID_UNTIL: Final = "gridwright.dev/valid-until"
ALLOWED: Final = "allowed"
GROUP: Final = "admissionregistration.k8s.io/v1"
_FOREVER_S: Final = int(FOREVER.timestamp())

_BINDING: Final = ("gridwright-binding", ("pods/binding", "bindings"), "object.target.name")
_NAMED: Final = ("gridwright-named-node", ("pods",), "object.spec.nodeName")

Manifest = dict[str, Any]


def manifests(problem: Problem) -> list[Manifest]:
    """All manifests. `problem` is what is asked of compliance at one instant."""
    answers = judged(problem)
    stages = (each for protected, pools in answers.items() for each in _for(protected, pools, problem))
    return [*policies(), *stages, *for_servers(problem)]


def as_yaml(documents: list[Manifest]) -> str:
    """Manifests as they are applied."""
    return yaml.safe_dump_all(documents, sort_keys=False, width=1_000, explicit_start=True)


def policies() -> Iterator[Manifest]:
    """The two policies, which say how a pod is judged and are the same whatever it is judged by."""
    for name, resources, node in (_BINDING, _NAMED):
        yield {
            "apiVersion": GROUP,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
                "matchConstraints": {
                    "resourceRules": [
                        {
                            "apiGroups": [""],
                            "apiVersions": ["v1"],
                            "operations": ["CREATE"],
                            "resources": list(resources),
                        }
                    ]
                },
                **(
                    {"matchConditions": [{"name": "names-its-node", "expression": _NAMES}]} if node == _NAMED[2] else {}
                ),
                "validations": [
                    {"expression": allows(node), "messageExpression": tells(node), "reason": "Forbidden"},
                ],
            },
        }


_NAMES: Final = "has(object.spec.nodeName) && object.spec.nodeName != ''"


def allows(node: str) -> str:
    """Whether the node that an expression gives is allowed, in CEL. Without any data there is none."""
    return f"has(params.data) && {node} in params.data && params.data[{node}] == '{ALLOWED}'"


def tells(node: str) -> str:
    """Why it is not, in CEL."""
    why = f"has(params.data) && {node} in params.data ? params.data[{node}] : 'nothing is known of it'"
    return f"'node ' + {node} + ' may not run this pod: ' + ({why})"


def for_servers(problem: Problem, used: Mapping[str, Use] | None = None) -> Iterator[Manifest]:
    """What the policies judge the servers of each pool by, and that they do; `used` is what a plan uses."""
    for pool, nodes in servers_judged(problem, used).items():
        # No stage is called so: its name has two dashes.
        yield from _judged(f"pool.{pool}", {POOL: pool}, nodes, problem)


def _for(protected: Protected, pools: Mapping[str, Objection | None], problem: Problem) -> Iterator[Manifest]:
    """What the policies judge the pods of one protected stage by, and that they do."""
    labels = {SERVICE: protected.service, STAGE: protected.stage}
    nodes = {node: pools[pool.name] for pool in problem.policy.pools for node in pool.node_names()}
    yield from _judged(f"{protected.service}--{protected.stage}", labels, nodes, problem)


def _judged(
    name: str, labels: Mapping[str, str], nodes: Mapping[str, Objection | None], problem: Problem
) -> Iterator[Manifest]:
    """The answers by node under a name, and that namespaces with these labels are held to them."""
    yield {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": dict(labels),
            "annotations": {VALID_UNTIL: valid_until(problem)},
        },
        "data": {node: str(objection) if objection else ALLOWED for node, objection in nodes.items()},
    }
    for policy, _, _ in (_BINDING, _NAMED):
        yield {
            "apiVersion": GROUP,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": f"{policy}.{name}"},
            "spec": {
                "policyName": policy,
                "validationActions": ["Deny"],
                "paramRef": {"name": name, "namespace": NAMESPACE, "parameterNotFoundAction": "Deny"},
                "matchResources": {"namespaceSelector": {"matchLabels": dict(labels)}},
            },
        }


def valid_until(problem: Problem) -> str:
    """When the answers may first be others: an admission policy knows no time, so they have to be made anew by then."""
    ahead_s = problem.needed_until_s - problem.now_s
    turns_s = [second_s for each in _turns_s(problem) for second_s in (each - ahead_s + 1, each)]
    later_s = [each for each in turns_s if each > problem.now_s]
    return instant(min(later_s)) if later_s else "the policy or its evidence changes"


def _turns_s(problem: Problem) -> Iterator[int]:
    """When evidence begins to hold, ends or gets too old, in Unix time. What never ends has no such second."""
    spans: list[Held | Attested | Vouched] = [*problem.certifications, *problem.attestations, *problem.provenances]
    yield from (each for span in spans for each in (span.from_s, span.until_s) if each != _FOREVER_S)
    clauses = [p.attestation for p in problem.policy.compliance if p.attestation and p.attestation.max_age_s]
    yield from (result.since_s(each) + each.max_age_s for result in problem.attestations for each in clauses)
