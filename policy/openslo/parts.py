"""What OpenSLO's documents share, by the specification of openslo/v1: names, numbers, durations and metadata."""

import re
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from policy.documents.base import Named, Spec
from policy.words import shown

API_VERSION: Final = "openslo/v1"
DAYS: Final = {"d": 1, "w": 7, "M": 30, "Q": 90, "Y": 365}
"""A rolling month is 30 days, as OpenSLO's own tools count it."""

_LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_KEY: Final = re.compile(r"[a-zA-Z0-9](?:[-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?", re.ASCII)
_DURATION: Final = re.compile(r"([1-9][0-9]{0,5})([mhdwMQY])", re.ASCII)
_DOMAIN_CHARACTERS: Final = 253


def _dns_label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is not a name of OpenSLO: expected up to 63 of a-z, 0-9 and dashes between letters or "
            "digits, such as my-service"
        )
    return text


def _label_key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a key: expected up to 63 letters, digits, dots, dashes and underscores")
    return text


def _annotation_key(text: str) -> str:
    domain, slash, key = text.rpartition("/")
    labels = domain.split(".") if slash else []
    if len(domain) > _DOMAIN_CHARACTERS or not all(_LABEL.fullmatch(each) for each in labels):
        raise ValueError(f"{shown(text)} is not a key: expected a domain before the slash, as in example.org/key")
    _label_key(key)
    return text


def _number(value: object) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("expected a number, such as 0.99")  # noqa: TRY004 -- pydantic makes findings of ValueErrors
    return Decimal(value)


def seconds(duration: str) -> int:
    """`30d` as seconds."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{shown(duration)} is not a duration of OpenSLO: expected a number and one of m h d w M Q Y")
    count, unit = int(match[1]), match[2]
    return count * {"m": 60, "h": 3_600}.get(unit, 86_400 * DAYS.get(unit, 0))


def _duration(text: str) -> str:
    seconds(text)
    return text


DnsLabel = Annotated[str, AfterValidator(_dns_label)]
Number = Annotated[Decimal, BeforeValidator(_number)]
Duration = Annotated[str, AfterValidator(_duration), Field(examples=["30d"])]
Description = Annotated[str, Field(max_length=1_050)]
Operator = Literal["lt", "lte", "gt", "gte"]
Text = Annotated[str, Field(min_length=1)]


class Metadata(Named):
    """What a document is called."""

    name: DnsLabel = Field(examples=["my-slo"])
    display_name: Annotated[str, Field(max_length=63)] = ""
    labels: dict[Annotated[str, AfterValidator(_label_key)], str | list[str]] = Field(default_factory=dict)
    annotations: dict[Annotated[str, AfterValidator(_annotation_key)], str] = Field(default_factory=dict)


class RefOrInline(Spec):
    """Either a name of a document elsewhere, or the document itself: `kind`, `metadata` and `spec`."""

    reference: ClassVar[str]
    inline: ClassVar[tuple[str, ...]] = ("kind", "metadata", "spec")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        given = [name for name in self.inline if getattr(self, name) is not None]
        alias = type(self).model_fields[self.reference].alias
        if (getattr(self, self.reference) is not None) == bool(given):
            raise ValueError(f"expected either `{alias}` or all of `{'`, `'.join(self.inline)}`")
        if given and len(given) < len(self.inline):
            missing = next(name for name in self.inline if name not in given)
            raise ValueError(f"`{missing}` is missing beside `{given[0]}`")
        return self
