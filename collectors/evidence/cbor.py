"""CBOR (RFC 8949) read as JSON is read here: finite, without tags, and no key twice in a map."""

import base64
import math
from io import BytesIO
from typing import Any, Final

from cbor2 import CBORDecodeError, CBORDecoder, CBORSimpleValue, undefined

_MAX_DEPTH: Final = 16
_TAGS_KNOWN: Final = (*range(6), 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)
"""The tags that the library would act on by itself: of these some refer back, and let a few octets stand for many."""


class NotPlainError(ValueError):
    """Octets that are no CBOR, or more than what is read here."""


def plain(data: bytes) -> Any:
    """The one item that the octets are. Raises NotPlainError."""
    rest = BytesIO(data)
    decoder = CBORDecoder(
        rest,
        tag_hook=_no_tag,
        semantic_decoders=dict.fromkeys(_TAGS_KNOWN, _no_tag),
        max_depth=_MAX_DEPTH,
        allow_indefinite=False,
        allow_duplicate_keys=False,
    )
    try:
        found = decoder.decode()
    except (CBORDecodeError, RecursionError, OverflowError) as trouble:
        raise NotPlainError("it is not CBOR, has a tag, a length left open or a key twice") from trouble
    if rest.read(1):
        raise NotPlainError("something stands behind it")
    return _checked(found)


def as_json(value: Any) -> Any:
    """The value as EAT writes it in JSON: octets are base64url without padding (RFC 9711, section 7.2.2)."""
    if isinstance(value, bytes):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    if isinstance(value, list):
        return [as_json(each) for each in value]
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    return value


def _checked(value: Any) -> Any:
    """The value, in which every key is a text or an integer and every number is one."""
    if (
        value is undefined
        or isinstance(value, CBORSimpleValue)
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        raise NotPlainError("a value in it is none of JSON's")
    if isinstance(value, dict):
        if any(isinstance(key, bool) or not isinstance(key, (int, str)) for key in value):
            raise NotPlainError("a key in it is neither a text nor an integer")
        for each in value.values():
            _checked(each)
    if isinstance(value, list):
        for each in value:
            _checked(each)
    return value


def _no_tag(*_: object) -> Any:
    raise NotPlainError("it has a tag")
