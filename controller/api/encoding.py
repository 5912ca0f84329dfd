"""Frozen dataclasses as JSON answers, and their schemas in the OpenAPI document."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from fastapi import Response

REFERENCE: Final = "#/components/schemas/{name}"


def answer(data: object) -> Response:
    """The data as JSON, encoded as the journal does it."""
    return Response(msgspec.json.encode(data), media_type="application/json")


def described(kind: type, description: str) -> dict[int | str, dict[str, Any]]:
    """What a route's OpenAPI says of its 200 answer, for `responses=`."""
    (schema,), _ = msgspec.json.schema_components((kind,), ref_template=REFERENCE)
    return {200: {"description": description, "content": {"application/json": {"schema": schema}}}}


def schemas(kinds: Sequence[type]) -> dict[str, Any]:
    """The component schemas of these types and of all that they are made of."""
    _, components = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    return components
