"""Variables: values that differ between environments, each written out for every one of them."""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from policy.documents.base import Name, Spec, Word
from policy.documents.written import Written

_TEXT_OR_NUMBER: Final = Written({"type": ["string", "number"]})


def _one_value(value: object) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise PydanticCustomError("one_value", "expected one value")
    return value


Value = Annotated[Any, BeforeValidator(_one_value), _TEXT_OR_NUMBER]
"""A text or a number, as the fields take it that use the variable."""


class VariablesSpec(Spec):
    """By variable, its value in each environment."""

    values: dict[Word, Annotated[dict[Name, Value], Field(min_length=1)]] = Field(min_length=1)
