"""Custom resource definitions: each kind of document as Kubernetes keeps it.

They are cluster-wide, since the names of a policy are unique over all of it.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from policy.documents import API_VERSION
from policy.schema.parts import Schema
from policy.schema.status import STATUS, columns
from policy.schema.structural import structural

GROUP, VERSION = API_VERSION.split("/")


class Column(NamedTuple):
    """What `kubectl get` shows beside the name."""

    name: str
    type: str
    path: str


class Shown(NamedTuple):
    """How a kind is called and listed on the command line."""

    short: str
    columns: tuple[Column, ...] = ()


SHOWN: Final[Mapping[str, Shown]] = {
    "Service": Shown(
        "gwsvc", (Column("Rate", "string", ".spec.demand.rate"), Column("Priority", "integer", ".spec.priority"))
    ),
    "Model": Shown("gwmodel", (Column("Preferred", "string", ".spec.variants[0].name"),)),
    "Site": Shown("gwsite", (Column("Jurisdictions", "string", ".spec.jurisdictions"),)),
    "Pool": Shown(
        "gwpool",
        (
            Column("Site", "string", ".spec.site"),
            Column("Device", "string", ".spec.device"),
            Column("Nodes", "integer", ".spec.nodes"),
            Column("Price", "string", ".spec.price"),
        ),
    ),
    "Link": Shown(
        "gwlink",
        (
            Column("Between", "string", ".spec.between"),
            Column("RTT", "string", ".spec.rtt"),
            Column("Encryption", "string", ".spec.encryption"),
        ),
    ),
    "DeviceProfile": Shown("gwdevice"),
    "ComplianceProfile": Shown("gwcompliance", (Column("Within", "string", ".spec.jurisdiction.within"),)),
    "Issuer": Shown("gwissuer", (Column("Standards", "string", ".spec.claims.standards"),)),
    "CostPolicy": Shown("gwcost", (Column("Start", "string", ".spec.start"),)),
    "Maintenance": Shown(
        "gwmaintenance", (Column("From", "string", ".spec.from"), Column("Until", "string", ".spec.until"))
    ),
    "ScalingPolicy": Shown("gwscaling", (Column("Interval", "string", ".spec.interval"),)),
    "Include": Shown("gwinclude", (Column("Bundle", "string", ".spec.bundle"),)),
    "Variables": Shown("gwvars"),
    "Environment": Shown("gwenv"),
    "Organisation": Shown("gworg", (Column("Within", "string", ".spec.compliance.jurisdiction.within"),)),
    "Team": Shown("gwteam", (Column("Within", "string", ".spec.compliance.jurisdiction.within"),)),
    "PolicyTest": Shown("gwtest", (Column("At", "string", ".spec.at"),)),
}


def definitions(schema: Mapping[str, Any]) -> dict[str, Schema]:
    """The definition of each kind by its file's name, out of the JSON Schema of all."""
    name = structural(schema["properties"]["metadata"]["properties"]["name"])
    return {
        f"{plural(kind)}.{GROUP}.yaml": definition(kind, structural(spec), name)
        for kind, spec in schema["definitions"].items()
    }


def definition(kind: str, spec: Schema, name: Schema) -> Schema:
    """A kind's definition, with one version, which is served and stored."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural(kind)}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural(kind),
                "singular": kind.lower(),
                "shortNames": [SHOWN[kind].short],
                "categories": ["gridwright"],
            },
            "versions": [_version(kind, spec, name)],
        },
    }


def plural(kind: str) -> str:
    """`Site` as sites, `CostPolicy` as costpolicies, `PriorityClass` as priorityclasses, `Variables` as they are."""
    word = kind.lower()
    if word.endswith("ss"):
        return f"{word}es"
    if word.endswith("s"):
        return word
    return f"{word.removesuffix('y')}ies" if word.endswith("y") else f"{word}s"


def _version(kind: str, spec: Schema, name: Schema) -> Schema:
    shown = [{"name": each.name, "type": each.type, "jsonPath": each.path} for each in SHOWN[kind].columns]
    frame = {
        "type": "object",
        "description": spec["description"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object", "properties": {"name": name}},
            "spec": spec,
            "status": STATUS,
        },
        "required": ["spec"],
    }
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": frame},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [*shown, *columns(kind)],
    }
