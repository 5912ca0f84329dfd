"""What the page on the language says of each field: the one source of the texts that editors show."""

import re
from collections.abc import Mapping
from typing import Final

_SECTION: Final = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ROW: Final = re.compile(r"^\| `([^`]+)` \| (.*?) ?\| (.*?) ?\|$", re.MULTILINE)

Told = Mapping[str, str]
"""From a field, with the part that it is in, such as `latency.below`, to value and meaning."""


def told(page: str) -> Mapping[str, Told]:
    """The rows of each kind's table."""
    return {kind: _rows(section) for kind, section in _SECTION.findall(page)}


def _rows(section: str) -> Told:
    found = {}
    for name, value, meaning in _ROW.findall(section):
        found[name.replace("[]", "")] = ": ".join(each for each in (value, meaning) if each)
    return found
