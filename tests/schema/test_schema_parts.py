"""What becomes of a part's types, and of those that a schema cannot say."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from policy.documents.base import Choice, Name, Positive, Share, Spec
from policy.schema.parts import part
from policy.schema.structural import structural


class Inner(Choice):
    """Either of two.

    More is told to people who read the code.
    """

    what = "an inner part"

    a: Share | None = None
    b: Annotated[Share, Field(ge=1)] | None = None


class Outer(Spec):
    """A part."""

    names: list[Name] = Field(min_length=1, max_length=3)
    how_many: Positive = 1
    word: Literal["x", "y"] | None = None
    inner: Inner
    flag: bool = False


def properties(model: type[Spec]) -> dict[str, Any]:
    found = part(model, {})["properties"]
    assert isinstance(found, dict)
    return found


def test_fields_are_called_as_in_yaml_and_bounded() -> None:
    made = properties(Outer)
    assert [*made] == ["names", "howMany", "word", "inner", "flag"]
    assert (made["names"]["minItems"], made["names"]["maxItems"], made["names"]["items"]["maxLength"]) == (1, 3, 63)
    assert (made["howMany"]["minimum"], made["howMany"]["maximum"], made["howMany"]["default"]) == (1, 1000, 1)
    assert made["word"] == {"type": ["string", "null"], "enum": ["x", "y", None], "description": "A part."}
    assert part(Outer, {})["required"] == ["names", "inner"]


def test_a_choice_has_exactly_one_of_its_fields() -> None:
    inner = properties(Outer)["inner"]
    assert inner["description"] == "Either of two."
    assert [each["required"] for each in inner["oneOf"]] == [["a"], ["b"]]
    assert "not" not in inner["properties"]["a"]
    assert "not" in inner["properties"]["b"]


def test_a_structural_schema_has_one_type_and_no_null() -> None:
    made = structural(part(Outer, {}))
    assert made["properties"]["word"] == {"type": "string", "enum": ["x", "y"], "description": "A part."}
    assert made["properties"]["inner"]["oneOf"] == [{"required": ["a"]}, {"required": ["b"]}]
    assert "additionalProperties" not in made


class Untold(Spec):
    """A field of a type that is written in no way that is known."""

    number: float


class Either(Spec):
    """A field of two types."""

    value: int | str


@pytest.mark.parametrize("model", [Untold, Either])
def test_a_type_that_cannot_be_said_is_an_error_that_names_the_field(model: type[Spec]) -> None:
    with pytest.raises(TypeError, match=r"`number`|`value`"):
        part(model, {})
