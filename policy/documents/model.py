"""Model: a network and its artefacts."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from policy.documents.base import MemoryMib, Name, Ratio, Spec
from policy.documents.written import pattern
from policy.words import shown

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is not a digest: expected sha256: and 64 digits of 0-9a-f, as sha256sum prints"
        )
    return text


Digest = Annotated[
    str,
    AfterValidator(_digest),
    pattern(f"^{_DIGEST.pattern}$", "sha256: and 64 digits of 0-9a-f, as sha256sum prints"),
]


class VariantSpec(Spec):
    """One artefact: its digest, precision, the memory of one instance, and its accuracy."""

    name: Name
    digest: Digest
    precision: Name = Field(examples=["fp16"])
    memory: Annotated[MemoryMib, Field(ge=1)]
    accuracy: Ratio


class ModelSpec(Spec):
    """The variants of a model, the preferred one first."""

    variants: list[VariantSpec] = Field(min_length=1)
