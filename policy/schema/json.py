"""The whole language as one JSON Schema of draft 7, which is what the YAML extensions of editors read best."""

from collections.abc import Mapping
from typing import Any, Final

from policy.documents import API_VERSION, KINDS
from policy.documents.base import Metadata
from policy.schema.page import Told
from policy.schema.parts import Schema, part
from policy.schema.variables import with_variables
from policy.variables import FIXED

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
FRAME: Final = ("apiVersion", "kind", "metadata", "spec")
CLAUSES_TOLD_AT: Final = "ComplianceProfile"
"""The kind at which the page tells of clauses that others may have, too."""


def json_schema(told: Mapping[str, Told]) -> Schema:
    """Every kind at once: what stands in `spec` follows from `kind`."""
    kinds = list(KINDS)
    return {
        "$schema": DRAFT,
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string", "enum": [API_VERSION]},
            "kind": {"type": "string", "enum": kinds},
            "metadata": part(Metadata, {}),
            "spec": {"type": "object"},
        },
        "required": list(FRAME),
        "additionalProperties": False,
        "allOf": [_when(kind) for kind in kinds],
        "definitions": {kind: _definition(kind, told) for kind in kinds},
    }


def _definition(kind: str, told: Mapping[str, Told]) -> Schema:
    made = part(KINDS[kind], {**told.get(CLAUSES_TOLD_AT, {}), **told.get(kind, {})})
    return made if kind in FIXED else with_variables(made)


def of_kind(schema: Mapping[str, Any], kind: str) -> Schema:
    """The schema of one kind alone, out of that of all."""
    properties = {
        **schema["properties"],
        "kind": {"type": "string", "enum": [kind]},
        "spec": schema["definitions"][kind],
    }
    left_out = ("allOf", "definitions", "properties")
    return {**{key: value for key, value in schema.items() if key not in left_out}, "properties": properties}


def _when(kind: str) -> Schema:
    return {
        "if": {"properties": {"kind": {"enum": [kind]}}, "required": ["kind"]},
        "then": {"properties": {"spec": {"$ref": f"#/definitions/{kind}"}}},
    }
