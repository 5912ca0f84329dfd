"""A JWT (RFC 7519) as a compact JWS (RFC 7515), taken apart. It has one spelling: what has another is refused."""

import base64
import binascii
import json
import re
from typing import Any, Final

from collectors.evidence import ear_names, refusals
from collectors.evidence.refusals import RefusedError
from collectors.evidence.sealed import Sealed
from policy.findings import Place

MAX_CHARACTERS: Final = 65_536
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)


def taken_apart(token: str, place: Place) -> Sealed:
    """The parts of a token, of which nothing is verified. Raises RefusedError."""
    if len(token) > MAX_CHARACTERS:
        raise RefusedError(refusals.malformed(place, f"it has {len(token)} characters, over {MAX_CHARACTERS}"))
    compact = _COMPACT.fullmatch(token)
    if compact is None:
        raise RefusedError(refusals.malformed(place, "expected three parts of base64url with dots between"))
    signature = _decoded(compact[3], place)
    header, claims = _object(compact[1], "header", place), _object(compact[2], "payload", place)
    if "crit" in header:
        raise RefusedError(refusals.malformed(place, "its header has `crit`, and no extension is known here"))
    signed = token.rpartition(".")[0].encode()
    return Sealed(header.get("alg"), header.get("kid"), ear_names.of_json(claims, place), signed, signature)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object. Two of one name would be read in two ways (RFC 8725, section 2.4)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _decoded(part: str, place: Place) -> bytes:
    """The part's bytes. They are written in one way only: left-over bits that are not 0 would be a second."""
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        data = b""
    if base64.urlsafe_b64encode(data).rstrip(b"=") != part.encode():
        raise RefusedError(refusals.malformed(place, "a part of it is not base64url"))
    return data


def _object(part: str, what: str, place: Place) -> dict[str, Any]:
    try:
        found = json.loads(_decoded(part, place), object_pairs_hook=once, parse_constant=_no_number)
    except (ValueError, RecursionError) as trouble:
        raise RefusedError(
            refusals.malformed(place, f"its {what} is not JSON, or a name stands twice in it")
        ) from trouble
    if not isinstance(found, dict):
        raise RefusedError(refusals.malformed(place, f"its {what} is no JSON object"))
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
