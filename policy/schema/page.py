"""What the page on the language says of each field: the one source of the texts that editors show."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_SECTION: Final = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ROW: Final = re.compile(r"^\| `([^`]+)` \| (.*?) ?\| (.*?) ?\|$", re.MULTILINE)


class Row(NamedTuple):
    """What stands in a field, and what it means; either may be empty."""

    value: str
    meaning: str


Told = Mapping[str, Row]
"""The rows by field, with the part that it is in, such as `latency.below`."""


def told(page: str) -> Mapping[str, Told]:
    """The rows of each kind's table."""
    return {kind: _rows(section) for kind, section in _SECTION.findall(page)}


def _rows(section: str) -> Told:
    return {name.replace("[]", ""): Row(value, meaning) for name, value, meaning in _ROW.findall(section)}
