"""Encodings: how a payload may be made smaller on its way, and what of that a Link admits."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from policy.documents.base import Choice, DurationUs, Name, Ratio, Remaining, Spec

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
    """The encodings. Raises ValueError when two of them have one format."""
    formats = [each.given.format for each in encodings]
    for each in formats:
        if formats.count(each) > 1:
            raise ValueError(f"there is more than one encoding with the format `{each}`: keep one")
    return encodings
