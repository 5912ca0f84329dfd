"""Members of what a token says, each of the type that it must have."""

from collections.abc import Mapping
from typing import Any

from collectors.evidence import refusals
from collectors.evidence.refusals import RefusedError
from policy.findings import Place
from policy.words import shown


def mapping(found: Mapping[str, Any], name: str, place: Place) -> Mapping[str, Any]:
    """The object of that name. Raises RefusedError."""
    value = found.get(name)
    if not isinstance(value, dict):
        raise RefusedError(refusals.malformed(place, f"there is no object {shown(name)}"))
    return value


def text(found: Mapping[str, Any], name: str, place: Place) -> str:
    """The text of that name. Raises RefusedError."""
    value = found.get(name)
    if not isinstance(value, str):
        raise RefusedError(refusals.malformed(place, f"there is no text {shown(name)}"))
    return value
