"""What all documents share: the envelope, names, words, and quantities that are read from text."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from policy import units
from policy.documents.written import Written, pattern, quantity
from policy.patterns import INSTANT, VERSION
from policy.words import shown

_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,61}[a-z0-9])?", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9._]{0,61}[A-Za-z0-9])?", re.ASCII)
_KEPT_QUANTITIES: Final = 1_024
"""Of each kind of quantity, texts whose reading is remembered: large policies say the same again and again."""


class Spec(BaseModel):
    """A part of a document: unknown fields are errors, and YAML's names are camelCase."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, strict=True)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is not a name: expected up to 63 of a-z, 0-9, dots and dashes between letters or digits, "
            "such as edge-paris"
        )
    if "--" in text:
        raise ValueError(f"{shown(text)} has two dashes in a row, which stand between model and variant: use one")
    return text


def is_word(text: str) -> bool:
    """Whether a text is a word of the language, such as `EU`."""
    return _WORD.fullmatch(text) is not None


def _word(text: str) -> str:
    if not is_word(text):
        raise ValueError(f"{shown(text)} is not a word: expected up to 63 letters, digits, dots and dashes, such as EU")
    return text


def _line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("is not one line of text: expected printable characters without line breaks")
    return text


_NAME_WRITTEN: Final = pattern(
    r"^[a-z0-9](?:(?:-?[a-z0-9.])*-?[a-z0-9])?$",
    "up to 63 of a-z, 0-9, dots and single dashes between letters or digits, such as edge-paris",
    maxLength=63,
)
_WORD_WRITTEN: Final = pattern(f"^{_WORD.pattern}$", "up to 63 letters, digits, dots and dashes, such as EU")
_LINE_WRITTEN: Final = pattern(
    r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$", "one line of text", maxLength=200
)

Name = Annotated[str, AfterValidator(_name), _NAME_WRITTEN]
"""Lower-case letters, digits, dots and single dashes: `--` parts model and variant in a Triton server."""
Word = Annotated[str, AfterValidator(_word), _WORD_WRITTEN]
"""A code that people agree on, such as the jurisdiction EU."""
Line = Annotated[str, Field(max_length=200), AfterValidator(_line), _LINE_WRITTEN]
"""One line of text for people."""


_FINDING: Final = re.compile(r"GW[0-9]{4}", re.ASCII)


def _finding_id(text: str) -> str:
    if not _FINDING.fullmatch(text):
        raise ValueError(f"{shown(text)} is not the id of a finding: expected GW and four digits, such as GW2010")
    return text


FindingId = Annotated[
    str, AfterValidator(_finding_id), pattern(f"^{_FINDING.pattern}$", "GW and four digits, such as GW2010")
]
"""The id of a finding, whichever part makes it."""


class Named(Spec):
    """Metadata of whatever language: there is a name in it."""

    name: str


class Metadata(Named):
    """What a document is called."""

    name: Name = Field(examples=["edge-paris"])
    labels: dict[Line, Line] = Field(default_factory=dict)


def one_of(part: BaseModel, what: str) -> None:
    """Raise ValueError unless exactly one field of the part is given."""
    given = [name for name in type(part).model_fields if getattr(part, name) is not None]
    if len(given) != 1:
        choices = ", ".join(f"`{info.alias or name}`" for name, info in type(part).model_fields.items())
        raise ValueError(f"{what} has exactly one of {choices}; here {len(given)} of them are given")


ENTRY: Final = "entry"
"""The type of an error that a list has at one of its entries; its context has `entry`, the index."""


class Choice(Spec):
    """A part of which exactly one field is given; messages call it `what`."""

    what: ClassVar[str]

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        one_of(self, self.what)
        return self


def _quantity(read: Callable[[str], Any], example: str, written: Written) -> tuple[BeforeValidator, Any, Written]:
    known = lru_cache(_KEPT_QUANTITIES)(read)

    def from_plain(value: object) -> Any:
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            raise PydanticCustomError("one_value", "expected one value")
        return known(str(value))

    return BeforeValidator(from_plain), Field(examples=[example]), written


_VERSION: Final = Written({**pattern(f"^{VERSION}$", "a version, such as 4.0").keywords, "type": ["string", "number"]})
_COMPARED: Final = f"(?:>=|>|<=|<|=) *{VERSION} *"
_RANGE: Final = pattern(
    f"^ *{_COMPARED}(?:, *{_COMPARED})*$",
    'comparisons with versions, such as ">=4.0" or ">=4.0, <5"',
)
_INSTANT: Final = pattern(INSTANT, "date, time and offset, such as 2030-01-31T12:00:00Z")

DurationUs = Annotated[int, *_quantity(units.duration_us, "250ms", quantity(units.DURATION))]
DurationS = Annotated[int, *_quantity(units.duration_s, "30s", quantity(units.SECONDS))]
MemoryMib = Annotated[int, *_quantity(units.memory_mib, "24GiB", quantity(units.MEMORY))]
PayloadBytes = Annotated[int, *_quantity(units.payload_bytes, "180KiB", quantity(units.PAYLOAD))]
PricePerHour = Annotated[int, *_quantity(units.price_millicents_per_hour, "$0.40/h", quantity(units.PRICE))]
PricePerGib = Annotated[int, *_quantity(units.price_millicents_per_gib, "$0.09/GiB", quantity(units.TRAFFIC_PRICE))]
Money = Annotated[int, *_quantity(units.money_millicents, "$0.001", quantity(units.MONEY))]
Share = Annotated[int, *_quantity(units.share_permille, "60%", quantity(units.SHARE))]
Remaining = Annotated[int, *_quantity(units.remaining_permille, "60%", quantity(units.SHARE).above_zero())]
Headroom = Annotated[int, *_quantity(units.headroom_permille, "20%", quantity(units.HEADROOM))]
Factor = Annotated[int, *_quantity(units.factor_permille, "300%", quantity(units.FACTOR))]
Ratio = Annotated[int, *_quantity(units.ratio_ppm, "95%", quantity(units.RATIO))]
Rate = Annotated[int, *_quantity(units.rate_milli_rps, "40 req/s", quantity(units.RATE))]
Bandwidth = Annotated[int, *_quantity(units.bandwidth_kbps, "50Mbit/s", quantity(units.BANDWIDTH))]
Percentile = Annotated[int, *_quantity(units.percentile_bp, "99", quantity(units.PERCENTILE).above_zero())]
Version = Annotated[tuple[int, ...], *_quantity(units.version_numbers, "4.0", _VERSION)]
VersionRange = Annotated[tuple[tuple[str, tuple[int, ...]], ...], *_quantity(units.version_range, '">=4.0"', _RANGE)]
Instant = Annotated[datetime, *_quantity(units.instant_utc, "2030-01-31T12:00:00Z", _INSTANT)]
Count = Annotated[int, Field(ge=0, le=1_000)]
Positive = Annotated[int, Field(ge=1, le=1_000)]
