"""What a gateway that keeps to the Gateway API makes of a route, from the object alone: where each request goes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Backend = tuple[str, str]
"""The namespace and the name of a Service."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A part of the requests, and where it goes: the Service, and the path that it is called by."""

    part: Fraction
    backend: Backend
    path: str


def sent(route: Mapping[str, Any], path: str, headers: Mapping[str, str]) -> list[Sent]:
    """Where requests of a path with some headers go, by part; empty where no rule is for them."""
    rules = [
        (_precedence(match), rule)
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
        if _matches(match, path, headers)
    ]
    if not rules:
        return []
    _, rule = max(rules, key=lambda each: each[0])
    whole = sum(each["weight"] for each in rule["backendRefs"])
    return [
        Sent(Fraction(each["weight"], whole), _backend(route, each), _rewritten(rule, path))
        for each in rule["backendRefs"]
    ]


def _precedence(match: Mapping[str, Any]) -> tuple[int, int]:
    """The longer prefix goes first, then the one with more headers."""
    return len(match["path"]["value"]), len(match.get("headers", ()))


def _matches(match: Mapping[str, Any], path: str, headers: Mapping[str, str]) -> bool:
    assert match["path"]["type"] == "PathPrefix"
    prefix = match["path"]["value"]
    return (path == prefix or path.startswith(f"{prefix}/")) and all(_has(each, headers) for each in headers_of(match))


def headers_of(match: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """What a match asks of headers."""
    yield from match.get("headers", ())


def _has(wanted: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    value = headers.get(wanted["name"])
    if value is None:
        return False
    if wanted["type"] == "RegularExpression":
        return re.fullmatch(wanted["value"], value) is not None
    return value == wanted["value"]


def _backend(route: Mapping[str, Any], ref: Mapping[str, Any]) -> Backend:
    return ref.get("namespace", route["metadata"]["namespace"]), ref["name"]


def _rewritten(rule: Mapping[str, Any], path: str) -> str:
    for each in rule.get("filters", ()):
        rewrite = each["urlRewrite"]["path"]
        assert rewrite["type"] == "ReplaceFullPath"
        return str(rewrite["replaceFullPath"])
    return path
