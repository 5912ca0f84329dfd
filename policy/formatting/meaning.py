"""What formatting must keep: what a text says, and its comments."""

import json
from collections import Counter
from typing import Any

import yaml

from policy.findings import Level
from policy.parse import parse


def same(one: str, other: str) -> bool:
    """Whether two texts say the same, comments included. Neither a key's place nor a comment's counts."""
    return _said(one) == _said(other) and comments(one) == comments(other)


def _said(text: str) -> list[str] | None:
    """Each document as one text; None when anything is wrong."""
    parsed = parse("", text)
    if any(finding.level is Level.ERROR for finding in parsed.findings):
        return None
    return [json.dumps(each.data, sort_keys=True, default=_decimal) for each in parsed.documents]


def _decimal(value: Any) -> dict[str, str]:
    """A number with a point, which differs from another by its zeros: 4.10 is another version than 4.1."""
    return {"decimal": str(value)}


def comments(text: str) -> Counter[str]:
    """The comments of a text that can be parsed, and how often each stands there."""
    hidden = list(text)
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.ScalarEvent) and event.start_mark and event.end_mark:
            start, end = event.start_mark.index, event.end_mark.index
            hidden[start:end] = "." * (end - start)
    lines = "".join(hidden).splitlines()
    return Counter(line[line.index("#") :].rstrip() for line in lines if "#" in line)
