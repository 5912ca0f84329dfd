"""What the controller tells of a resource in its status: conditions, as Kubernetes has them."""

from collections.abc import Mapping
from typing import Any, Final

from policy.schema.parts import Schema

ACCEPTED: Final = "Accepted"
"""The resource, as it is, is part of the policy in force."""
FEASIBLE: Final = "Feasible"
"""A plan serves the service as promised."""
APPLIED: Final = "Applied"
"""What the plan asks of the fleet for the service stands."""
OBJECTIVE_MET: Final = "ObjectiveMet"
"""What its callers see keeps its objectives on latency."""
EVIDENCE_VALID: Final = "EvidenceValid"
"""What has to be proven of where the service stands is proven now."""

_OF_ALL: Final = (ACCEPTED,)
_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "Service": (ACCEPTED, FEASIBLE, APPLIED, OBJECTIVE_MET, EVIDENCE_VALID),
}
MOST_MESSAGE: Final = 32_768
MOST_REASON: Final = 1_024


def conditions_of(kind: str) -> tuple[str, ...]:
    """The types of the conditions that resources of a kind have."""
    return _OF.get(kind, _OF_ALL)


def columns(kind: str) -> list[dict[str, Any]]:
    """What `kubectl get` shows of the conditions; all but the first where it is asked for more (`-o wide`)."""
    return [
        {"name": each, "type": "string", "jsonPath": f'.status.conditions[?(@.type=="{each}")].status'}
        | ({} if each == ACCEPTED else {"priority": 1})
        for each in conditions_of(kind)
    ]


STATUS: Final[Schema] = {
    "type": "object",
    "description": "what the controller made of the resource",
    "properties": {
        "observedGeneration": {
            "type": "integer",
            "format": "int64",
            "description": "the metadata.generation that the status is of",
        },
        "conditions": {
            "type": "array",
            "description": "what holds of the resource now, and since when",
            "items": {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "maxLength": 316},
                    "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                    "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
                    "lastTransitionTime": {"type": "string", "format": "date-time"},
                    "reason": {
                        "type": "string",
                        "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                        "minLength": 1,
                        "maxLength": MOST_REASON,
                    },
                    "message": {"type": "string", "maxLength": MOST_MESSAGE},
                },
                "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            },
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    },
}
"""The fields of `metav1.Condition`, with its limits."""
