"""A part's JSON Schema as a structural schema, the form in which Kubernetes takes it.

There each value has one type, or is an integer or a text; unknown fields are pruned or told, so nothing says that there
are no more; and a null where none may stand counts as left out.
"""

from collections.abc import Mapping
from typing import Any, Final

from policy.schema.parts import Schema
from policy.schema.variables import without_variables

KEPT: Final = (
    "description",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
    "not",
)
"""Keywords that mean the same in both. Whatever else JSON Schema says is rewritten or left out."""


def structural(schema: Mapping[str, Any]) -> Schema:
    """The same part, as far as a structural schema can say it."""
    schema = without_variables(schema)
    made = _type(schema["type"]) | {key: schema[key] for key in KEPT if key in schema}
    if "not" in made:
        made["not"] = {key: each for key, each in made["not"].items() if key != "type"}
    if "enum" in made:
        made["enum"] = [each for each in made["enum"] if each is not None]
    if "properties" in schema:
        made["properties"] = {name: structural(each) for name, each in schema["properties"].items()}
    if "items" in schema:
        made["items"] = structural(schema["items"])
    if schema.get("additionalProperties"):
        made["additionalProperties"] = structural(schema["additionalProperties"])
    if "oneOf" in schema:
        made["oneOf"] = [{"required": each["required"]} for each in schema["oneOf"]]
    return made


def _type(types: str | list[str]) -> Schema:
    """One type; a value that may be a number without a unit is an integer or a text, `"99.9"` in quotes."""
    one = [each for each in ([types] if isinstance(types, str) else types) if each != "null"]
    return {"type": one[0]} if len(one) == 1 else {"x-kubernetes-int-or-string": True}
