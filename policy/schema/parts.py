"""The parts of a document, as JSON Schema has them. Fails on a type that it does not know."""

import inspect
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic.fields import FieldInfo

from policy.documents.base import Choice, Spec
from policy.documents.shape import fields
from policy.documents.written import Written
from policy.schema.page import Row, Told

Schema = dict[str, Any]

_LENGTHS: Final[Mapping[str, tuple[str, str]]] = {
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
    "string": ("minLength", "maxLength"),
}


def part(model: type[Spec], told: Told, name: str = "") -> Schema:
    """A part with its fields; `told` says what a field means, and the part's own words where that says nothing."""
    about = _first_paragraph(model)
    properties = {}
    for alias, info in fields(model).items():
        row = told.get(f"{name}.{alias}" if name else alias, Row("", ""))
        properties[alias] = _described(_field(info, told, alias), row, about)
    schema: Schema = {"type": "object", "description": about}
    schema |= {"properties": properties, "additionalProperties": False}
    required = [alias for alias, info in fields(model).items() if info.is_required()]
    if required:
        schema["required"] = required
    if issubclass(model, Choice):
        schema["oneOf"] = [_given(alias) for alias in properties]
    return schema


def _given(field: str) -> Schema:
    """The field is there and holds something."""
    return {"required": [field], "properties": {field: {"not": {"enum": [None]}}}}


def _first_paragraph(model: type[Spec]) -> str:
    return " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split())


def _described(schema: Schema, row: Row, about: str) -> Schema:
    """A field with what its row says. Where that gives no meaning, the part that it is, or that it is in, has it."""
    meaning = row.meaning or ("" if "description" in schema and not row.value else about)
    text = ": ".join(each for each in (row.value, meaning) if each) or schema["description"]
    return {**schema, "description": text.replace("`", "")}  # editors and `kubectl explain` take it as plain text


def _field(info: FieldInfo, told: Told, alias: str) -> Schema:
    schema = _value(info.annotation, tuple(info.metadata), told, alias)
    if info.examples:
        schema["examples"] = [str(each).strip('"') for each in info.examples]  # as a value, not as YAML
    if isinstance(info.default, (str, int)) and not any(isinstance(each, Written) for each in info.metadata):
        schema["default"] = info.default
    return schema


def _value(annotation: Any, metadata: tuple[Any, ...], told: Told, alias: str) -> Schema:
    """What a type takes, with what was annotated to it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _value(inner[0], (*_flat(inner[1:]), *metadata), told, alias)
    if origin in {Union, UnionType}:
        return _optional(annotation, metadata, told, alias)
    schema = _bare(annotation, told, alias)
    for each in metadata:
        if isinstance(each, Written):
            schema |= (each.above_zero() if _more_than_zero(metadata) else each).keywords
    if "type" not in schema:
        raise TypeError(f"`{alias}`: a schema cannot say {annotation}: annotate how it is written (`Written`)")
    return schema | _bounds(schema, metadata)


def _bare(annotation: Any, told: Told, alias: str) -> Schema:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return {"type": "string", "enum": list(inner)}
    if origin is list:
        return {"type": "array", "items": _value(inner[0], (), told, alias)}
    if origin is dict:
        names, values = (_value(each, (), told, alias) for each in inner)
        return {"type": "object", "additionalProperties": values, "propertyNames": names}
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return part(annotation, told, alias)
    plain: Mapping[Any, Schema] = {str: {"type": "string"}, int: {"type": "integer"}, bool: {"type": "boolean"}}
    return dict(plain.get(annotation, {}))


def _optional(annotation: Any, metadata: tuple[Any, ...], told: Told, alias: str) -> Schema:
    """A value that may be left out, or stand there without anything."""
    inner, *others = (each for each in get_args(annotation) if each is not NoneType)
    if others:
        raise TypeError(f"`{alias}`: a structural schema has one type for a value, not {annotation}")
    schema = _value(inner, metadata, told, alias)
    types = schema["type"]
    schema["type"] = [*([types] if isinstance(types, str) else types), "null"]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    if "not" in schema:
        # Patterns and bounds say nothing of a null, which what is barred would take as well.
        schema["not"] = {"type": types, **schema["not"]}
    return schema


def _flat(metadata: tuple[Any, ...]) -> Iterator[Any]:
    """What was annotated, also inside `Field(…)`."""
    for each in metadata:
        yield from each.metadata if isinstance(each, FieldInfo) else (each,)


def _more_than_zero(metadata: tuple[Any, ...]) -> bool:
    return any(isinstance(each, Ge) and each.ge == 1 for each in metadata)


def _bounds(schema: Schema, metadata: tuple[Any, ...]) -> Schema:
    """The bounds of a number or a length. Those of a quantity are in its inner unit, and its pattern has them."""
    bounds: Schema = {}
    least, most = _LENGTHS.get(schema["type"], ("", "")) if isinstance(schema["type"], str) else ("", "")
    for each in metadata:
        if isinstance(each, MinLen) and least:
            bounds[least] = each.min_length
        if isinstance(each, MaxLen) and most:
            bounds[most] = each.max_length
        if schema["type"] == "integer" and isinstance(each, Ge):
            bounds["minimum"] = each.ge
        if schema["type"] == "integer" and isinstance(each, Le):
            bounds["maximum"] = each.le
    return bounds
