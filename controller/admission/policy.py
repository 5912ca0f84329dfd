"""Admission policies of Kubernetes that look the node of a pod up in a ConfigMap, and their bindings.

A pod comes to a node in one of two ways. A node that is not in the ConfigMap, and a ConfigMap that is not there, is a
no.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from controller.cluster.names import SYSTEM

GROUP: Final = "admissionregistration.k8s.io/v1"
ALLOWED: Final = "allowed"

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """What is asked for when a pod comes to a node, the node's name in it, and when that names any, both in CEL."""

    name: str
    resources: tuple[str, ...]
    node: str
    condition: str = ""


WAYS: Final = (
    Way("binding", ("pods/binding", "bindings"), "object.target.name"),
    Way("named-node", ("pods",), "object.spec.nodeName", "has(object.spec.nodeName) && object.spec.nodeName != ''"),
)
"""A binding is how the scheduler places a pod; one that names its node as it is made never meets the scheduler."""


def policy(name: str, way: Way, key: str, unknown: str) -> Manifest:
    """How pods are judged that come in a way. `key` is what a node has in the ConfigMap, `unknown` is told of others.

    `key` is CEL, and so is whatever stands in `unknown` between quotes.
    """
    conditions = [{"name": "names-its-node", "expression": way.condition}] if way.condition else []
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": list(way.resources)}
    return {
        "apiVersion": GROUP,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {"resourceRules": [rule]},
            **({"matchConditions": conditions} if conditions else {}),
            "validations": [
                {
                    "expression": f"{_is_known(key)} && params.data[{key}] == '{ALLOWED}'",
                    "messageExpression": _told(way.node, key, unknown),
                    "reason": "Forbidden",
                }
            ],
        },
    }


def binding(name: str, policy: str, parameter: str, namespaces: Mapping[str, Any]) -> Manifest:
    """That pods of the namespaces that a selector means are judged by a policy and a ConfigMap."""
    return {
        "apiVersion": GROUP,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": policy,
            "validationActions": ["Deny"],
            "paramRef": {"name": parameter, "namespace": SYSTEM, "parameterNotFoundAction": "Deny"},
            "matchResources": {"namespaceSelector": dict(namespaces)},
        },
    }


def _is_known(key: str) -> str:
    """Whether there is an answer, in CEL. Without any data there is none."""
    return f"has(params.data) && {key} in params.data"


def _told(node: str, key: str, unknown: str) -> str:
    """Why a node is refused, in CEL."""
    return f"'node ' + {node} + ' may not run this pod: ' + ({_is_known(key)} ? params.data[{key}] : '{unknown}')"
