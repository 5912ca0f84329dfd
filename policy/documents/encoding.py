"""Encodings: how a payload may be made smaller on its way, and what of that a Link admits."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field
from pydantic_core import PydanticCustomError

from policy.documents.base import ENTRY, Choice, DurationUs, Name, Ratio, Remaining, Spec

Compression = Literal["gzip", "deflate"]
"""The content codings that Triton's HTTP endpoint unpacks."""


class CompressionSpec(Spec):
    """Packed, and unpacked to the same bytes: what is left of the input, and how long the two take for one call."""

    format: Compression
    size: Remaining
    encode: DurationUs = 0
    decode: DurationUs = 0


class PrecisionSpec(Spec):
    """In numbers of fewer bits: what is left of the input, how long it takes for one call, and the accuracy lost."""

    format: Name = Field(examples=["fp16"])
    size: Remaining
    encode: DurationUs = 0
    decode: DurationUs = 0
    loses: Ratio = Field(examples=["0.4%"])


class EncodingSpec(Choice):
    """One way to send an input: packed, or with a lower precision."""

    what: ClassVar[str] = "an encoding"

    compression: CompressionSpec | None = None
    precision: PrecisionSpec | None = None

    @property
    def given(self) -> CompressionSpec | PrecisionSpec:
        """Whichever it is."""
        (given,) = (each for each in (self.compression, self.precision) if each is not None)
        return given


class AdmitsSpec(Spec):
    """The encodings in which payloads may cross a Link."""

    compression: list[Compression] = Field(default_factory=list)
    precision: list[Name] = Field(default_factory=list)


def each_format_once(encodings: Sequence[EncodingSpec]) -> Sequence[EncodingSpec]:
    """The encodings. Raises the error of an entry whose format another one before it has."""
    for at, each in enumerate(encodings):
        same = [other for other in encodings[:at] if other.given.format == each.given.format]
        if same:
            shared = "" if isinstance(each.given, type(same[0].given)) else "compressions and precisions share names: "
            message = "an encoding before it has the format `{format}` as well: {shared}keep one"
            context = {"entry": at, "format": each.given.format, "shared": shared}
            raise PydanticCustomError(ENTRY, message, context)
    return encodings
