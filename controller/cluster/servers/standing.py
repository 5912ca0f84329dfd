"""What stands in a cluster of what was applied, as little of each as deciding takes, and what differs from a plan.

An object is as it was applied when it carries the digest of what is wanted and the field manager still owns the fields
that it owned after it was applied: whoever changes one of them, takes it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, NamedTuple

from controller.cluster.api_server.resources import (
    GRPC_ROUTES,
    HTTP_ROUTES,
    NAMESPACES,
    REFERENCE_GRANTS,
    STATEFUL_SETS,
    Resource,
)
from controller.cluster.names import CONTENT, MANAGED_BY, MANAGER

Manifest = Mapping[str, Any]

KINDS: Final[Mapping[str, Resource]] = {
    "PriorityClass": Resource("scheduling.k8s.io/v1", "priorityclasses"),
    "Namespace": NAMESPACES,
    "ServiceAccount": Resource("v1", "serviceaccounts"),
    "Service": Resource("v1", "services"),
    "PodDisruptionBudget": Resource("policy/v1", "poddisruptionbudgets"),
    "NetworkPolicy": Resource("networking.k8s.io/v1", "networkpolicies"),
    "StatefulSet": STATEFUL_SETS,
}
"""Every kind of object that servers are made of, each after those that it needs."""
GRANTS: Final[Mapping[str, Resource]] = {"ReferenceGrant": REFERENCE_GRANTS}
"""Written beside servers where routes of the Gateway API lead to them."""
ROUTED: Final[Mapping[str, Resource]] = {"GRPCRoute": GRPC_ROUTES, "HTTPRoute": HTTP_ROUTES}
"""The kinds of routes. What is followed is told by the second, so it is written last."""
RESOURCES: Final[Mapping[str, Resource]] = {**KINDS, **GRANTS, **ROUTED}
SERVERS: Final = "StatefulSet"
RECHECKED: Final = 100
"""Objects of an earlier process that are applied again at a time."""
KEPT: Final = ("Namespace", "PriorityClass")
"""Kinds that are never deleted: others' objects may be in the one and use the other."""


class Key(NamedTuple):
    """Which object of a cluster."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return "/".join(part for part in self if part)

    @property
    def path(self) -> str:
        """Its path at the API server."""
        return RESOURCES[self.kind].path(self.name, namespace=self.namespace)


@dataclass(frozen=True, slots=True)
class Standing:
    """An object of ours: `content` is the digest that it was applied by, `fields` of what our field manager owns now.

    `is_outdated` says of a server that its pod was made by an earlier template.
    """

    key: Key
    uid: str
    content: str
    fields: str
    is_outdated: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """What is to be applied, in this order, and what is to go then, servers first."""

    apply: tuple[Manifest, ...]
    remove: tuple[Standing, ...]


def key_of(manifest: Manifest) -> Key:
    """Which object a manifest is of."""
    metadata = manifest["metadata"]
    return Key(manifest["kind"], metadata.get("namespace", ""), metadata["name"])


def is_ours(live: Manifest) -> bool:
    """Whether an object carries our label."""
    return bool(live["metadata"].get("labels", {}).get(MANAGED_BY) == MANAGER)


def standing(kind: str, live: Manifest) -> Standing:
    """What is kept of an object; the items of a list do not tell their kind."""
    metadata = live["metadata"]
    return Standing(
        key=Key(kind, metadata.get("namespace", ""), metadata["name"]),
        uid=metadata["uid"],
        content=metadata.get("annotations", {}).get(CONTENT, ""),
        fields=_owned(metadata),
        is_outdated=_is_outdated(live.get("spec", {}), live.get("status", {})),
    )


def digest(content: Any) -> str:
    """Of what JSON can say, whatever the order of keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def difference(wanted: Sequence[Manifest], stands: Iterable[Standing], applied: Mapping[Key, str]) -> Difference:
    """What differs. `applied` has, of each object that was applied, the digest of what our field manager owned then.

    Of the objects that an earlier process has applied, a few are applied again each time: that changes nothing unless
    somebody took a field away meanwhile.
    """
    found = {each.key: each for each in stands}
    states = [(each, _state(each, found.get(key_of(each)), applied)) for each in wanted]
    differs = [each for each, state in states if state is _State.DIFFERS]
    unsure = [each for each, state in states if state is _State.UNSURE]
    keys = {key_of(each) for each in wanted}
    remove = [each for key, each in found.items() if key not in keys and key.kind not in KEPT]
    return Difference(
        (*differs, *unsure[:RECHECKED]), tuple(sorted(remove, key=lambda each: (each.key.kind != SERVERS, each.key)))
    )


class _State(Enum):
    DIFFERS = auto()
    UNSURE = auto()
    AS_APPLIED = auto()


def _state(manifest: Manifest, stands: Standing | None, applied: Mapping[Key, str]) -> _State:
    if stands is None or stands.content != digest(manifest):
        return _State.DIFFERS
    if stands.key not in applied:
        return _State.UNSURE
    return _State.AS_APPLIED if applied[stands.key] == stands.fields else _State.DIFFERS


def _is_outdated(spec: Manifest, status: Manifest) -> bool:
    """Whether a pod of an earlier template runs on; one that is about to end is of neither."""
    runs_on = spec.get("replicas", 0) >= status.get("replicas", 0) > status.get("updatedReplicas", 0)
    return runs_on and status.get("currentRevision") != status.get("updateRevision")


def _owned(metadata: Manifest) -> str:
    """A digest of the fields that our field manager owns."""
    entries = [
        each.get("fieldsV1", {})
        for each in metadata.get("managedFields", ())
        if each.get("manager") == MANAGER and each.get("operation") == "Apply" and not each.get("subresource")
    ]
    return digest(entries)
