"""The definitions keep the rules that Kubernetes has for structural schemas (CustomResourceDefinition, v1)."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from policy.schema.files import DEFINITIONS

FILES = sorted(DEFINITIONS.glob("*.yaml"))
LOGIC = ("allOf", "anyOf", "oneOf", "not")
FORBIDDEN = {
    *("$ref", "$schema", "definitions", "dependencies", "deprecated", "discriminator", "id", "patternProperties"),
    *("readOnly", "writeOnly", "xml", "const", "examples", "propertyNames", "if", "then", "else", "uniqueItems"),
}
NOT_IN_LOGIC = {"description", "type", "default", "additionalProperties", "nullable"}


def definition(file: Any) -> dict[str, Any]:
    (found,) = yaml.safe_load_all(file.read_text())
    assert isinstance(found, dict)
    return found


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of a value, those within logic aside."""
    yield path, schema
    for name, each in schema.get("properties", {}).items():
        yield from nodes(each, f"{path}.{name}")
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            yield from nodes(schema[inner], f"{path}.{inner}")


def logical(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every schema within the logic of a schema, however deep."""
    for key in LOGIC:
        found = schema.get(key, [])
        for each in [found] if isinstance(found, dict) else found:
            yield each
            yield from logical(each)


def root(file: Any) -> dict[str, Any]:
    (version,) = definition(file)["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    assert isinstance(schema, dict)
    return schema


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_value_has_one_type_or_is_an_integer_or_a_text(file: Any) -> None:
    for path, schema in nodes(root(file)):
        one = isinstance(schema.get("type"), str) and "x-kubernetes-int-or-string" not in schema
        assert one or ("type" not in schema and schema.get("x-kubernetes-int-or-string") is True), path
        assert ("items" in schema) == (schema.get("type") == "array"), path


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_forbidden_is_said(file: Any) -> None:
    for path, schema in nodes(root(file)):
        assert not FORBIDDEN & schema.keys(), path
        assert schema.get("additionalProperties") is not False, path
        assert not {"properties", "additionalProperties"} <= schema.keys(), path


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_logic_only_judges_values_that_are_described_outside_of_it(file: Any) -> None:
    for path, schema in nodes(root(file)):
        for each in logical(schema):
            assert not (FORBIDDEN | NOT_IN_LOGIC) & each.keys(), path
            assert {*each.get("properties", {}), *each.get("required", [])} <= schema.get("properties", {}).keys(), path


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_metadata_is_restricted_by_name_alone(file: Any) -> None:
    metadata = root(file)["properties"]["metadata"]
    assert metadata["type"] == "object"
    assert metadata["properties"].keys() <= {"name", "generateName"}
    assert metadata.keys() <= {"type", "properties"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_one_version_is_served_and_stored(file: Any) -> None:
    made = definition(file)
    names = made["spec"]["names"]
    assert made["metadata"]["name"] == f"{names['plural']}.{made['spec']['group']}" == file.name.removesuffix(".yaml")
    assert [(each["name"], each["served"], each["storage"]) for each in made["spec"]["versions"]] == [
        ("v1alpha1", True, True)
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_column_shows_a_value_that_there_is(file: Any) -> None:
    (version,) = definition(file)["spec"]["versions"]
    for column in version.get("additionalPrinterColumns", []):
        schema = root(file)
        for part in column["jsonPath"].removeprefix(".").split("."):
            schema = schema["properties"][part.partition("[")[0]]
            schema = schema["items"] if "[" in part else schema
        assert column["type"] == ("integer" if schema.get("type") == "integer" else "string")


def test_no_short_name_is_given_twice() -> None:
    names = [definition(file)["spec"]["names"] for file in FILES]
    called = [name for each in names for name in {each["plural"], each["singular"], *each["shortNames"]}]
    assert len(called) == len({*called})
