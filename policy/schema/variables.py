"""Where a field takes one value, an editor takes a variable, too. Kubernetes keeps the values themselves."""

from collections.abc import Mapping
from typing import Any, Final

from policy.schema.parts import Schema
from policy.variables import KEY

_SAID: Final = ("description", "default", "examples")
"""What is said of a field whichever of the two stands in it."""
_VARIABLE: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {KEY: {"type": "string", "description": "a variable"}},
    "required": [KEY],
    "additionalProperties": False,
}


def with_variables(schema: Mapping[str, Any]) -> Schema:
    """A part in which each single value may be a variable instead."""
    made = dict(schema)
    if "properties" in schema:
        made["properties"] = {name: with_variables(each) for name, each in schema["properties"].items()}
    elif "items" in schema:
        made["items"] = with_variables(schema["items"])
    elif schema.get("additionalProperties"):
        made["additionalProperties"] = with_variables(schema["additionalProperties"])
    else:
        value = {key: each for key, each in schema.items() if key not in _SAID}
        said = {key: each for key, each in schema.items() if key in _SAID}
        return {**said, "anyOf": [value, dict(_VARIABLE)]}
    return made


def without_variables(schema: Mapping[str, Any]) -> Schema:
    """A single value alone, of one that may be a variable; anything else as it is."""
    if "anyOf" not in schema:
        return dict(schema)
    return {**{key: each for key, each in schema.items() if key != "anyOf"}, **schema["anyOf"][0]}
