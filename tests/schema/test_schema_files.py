"""The schema that is committed is the one that the code makes."""

from pathlib import Path

import pytest

from policy.documents import KINDS
from policy.schema.crd import SHOWN
from policy.schema.files import DEFINITIONS, PAGE, kept, made
from policy.schema.json import json_schema
from policy.schema.page import told


@pytest.mark.parametrize("path", made(), ids=lambda path: path.name)
def test_the_file_is_what_the_code_and_the_page_say(path: Path) -> None:
    assert path.read_text() == made()[path], "run `make schema`"


def test_there_is_a_definition_of_each_kind_and_no_other() -> None:
    assert {*DEFINITIONS.glob("*.yaml")} == {path for path in made() if path.parent == DEFINITIONS}
    assert len({*DEFINITIONS.glob("*.yaml")}) == len(KINDS) == len({row.short for row in SHOWN.values()})


def test_every_field_of_a_kind_has_something_to_show() -> None:
    def silent(schema: dict[str, object], path: str) -> list[str]:
        properties = schema.get("properties", {})
        assert isinstance(properties, dict)
        found = [f"{path}.{name}" for name, each in properties.items() if "description" not in each]
        inner = [*properties.items(), *([("items", schema["items"])] if "items" in schema else [])]
        return found + [place for name, each in inner for place in silent(each, f"{path}.{name}")]

    assert [place for kind, each in kept()["definitions"].items() for place in silent(each, kind)] == []


def test_what_an_editor_shows_is_what_the_page_says() -> None:
    page = PAGE.read_text().replace("the higher keeps its promises longer", "how much it matters")
    schema = json_schema(told(page))
    assert schema["definitions"]["Service"]["properties"]["priority"]["description"].endswith("how much it matters")
