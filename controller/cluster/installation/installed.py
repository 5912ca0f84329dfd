"""What an installation is: the objects that `gridwright install` creates and removes.

They are what the Helm chart renders, kept in `installed.yaml`, and the definitions of custom resources. What an
installation is told of its surroundings is one ConfigMap, one image and the pools' namespaces.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import yaml

from controller.cluster.api_server.resources import Resource
from policy.schema.crd import definitions, plural
from policy.schema.files import kept

LISTENS: Final = {"api": "0.0.0.0:8780", "otlp": "0.0.0.0:4318", "otlpGrpc": "0.0.0.0:4317", "beyondLoopback": True}
"""What the connections say of the controller itself, as the chart's Service and probes have it."""
SETTINGS: Final = "gridwright.dev/settings"
"""An annotation of pods: a digest of what they are told. They read it once, so a change of it has to replace them."""

VERSIONS: Final = range(34, 37)
"""The minor versions of Kubernetes 1 that this is for."""

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """What differs from cluster to cluster.

    `policy` is as the command `run` takes it, `connections` the document but for what the controller listens on.
    """

    image: str
    policy: str
    connections: Mapping[str, Any]
    environment: str = ""


def installed(settings: Settings | None = None) -> tuple[Manifest, ...]:
    """All objects, each after those that it needs; without settings only good for their names."""
    text = (files("controller.cluster.installation") / "installed.yaml").read_text(encoding="utf-8")
    namespace, *rest = yaml.safe_load_all(text)
    told = [_told(each, settings) for each in rest] if settings else rest
    return (namespace, *definitions(kept()).values(), *told)


def is_definition(manifest: Manifest) -> bool:
    """Whether it is the definition of a kind of document: all of it is ours, whoever brought it."""
    return bool(manifest["kind"] == "CustomResourceDefinition")


def path_of(manifest: Manifest) -> str:
    """Where the API server has the object."""
    metadata = manifest["metadata"]
    return _resource(manifest).path(metadata["name"], namespace=metadata.get("namespace", ""))


def name_of(manifest: Manifest) -> str:
    """The object as people name it: `Role gridwright-system/gridwright`."""
    metadata = manifest["metadata"]
    within = f"{metadata['namespace']}/" if "namespace" in metadata else ""
    return f"{manifest['kind']} {within}{metadata['name']}"


def questions(manifests: Sequence[Manifest], verbs: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """What whoever installs has to be allowed, as access reviews ask for it; each once."""
    kinds = dict.fromkeys(
        (each["apiVersion"].rpartition("/")[0], plural(each["kind"]), each["metadata"].get("namespace", ""))
        for each in manifests
    )
    for group, resource, namespace in kinds:
        for verb in verbs:
            yield {"group": group, "resource": resource, "namespace": namespace, "verb": verb}


def is_supported(version: Mapping[str, Any]) -> bool:
    """Whether this is for a cluster that says so of itself; some providers put a plus behind the minor version."""
    minor = str(version.get("minor")).rstrip("+")
    return version.get("major") == "1" and minor.isdecimal() and int(minor) in VERSIONS


def differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether an object says something else, aside from what the API server notes of its writing."""
    return _said(before) != _said(after)


def _resource(manifest: Manifest) -> Resource:
    return Resource(manifest["apiVersion"], plural(manifest["kind"]))


def _said(kept_object: Mapping[str, Any]) -> Mapping[str, Any]:
    noted = ("managedFields", "resourceVersion", "generation")
    metadata = {key: value for key, value in kept_object["metadata"].items() if key not in noted}
    return {**kept_object, "metadata": metadata}


def _told(manifest: Manifest, settings: Settings) -> Manifest:
    if manifest["kind"] == "ConfigMap":
        return {**manifest, "data": _data(settings)}
    if manifest["kind"] == "Deployment":
        return {**manifest, "spec": {**manifest["spec"], "template": _pod(manifest["spec"]["template"], settings)}}
    return manifest


def _data(settings: Settings) -> Mapping[str, str]:
    connections = yaml.safe_dump({**settings.connections, **LISTENS}, sort_keys=True)
    return {"policy": settings.policy, "environment": settings.environment, "connections.yaml": connections}


def _pod(template: Manifest, settings: Settings) -> Manifest:
    digest = hashlib.sha256(json.dumps(_data(settings), sort_keys=True).encode()).hexdigest()
    metadata, spec = template["metadata"], template["spec"]
    return {
        "metadata": {**metadata, "annotations": {**metadata["annotations"], SETTINGS: digest}},
        "spec": {**spec, "containers": [{**each, "image": settings.image} for each in spec["containers"]]},
    }
