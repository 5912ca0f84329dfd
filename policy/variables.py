"""Variables of documents: where they are used, and what documents are with their values.

A use is a whole value, `{var: NAME}`, where a field takes one value: nothing is put together, so what stands at the
variable's line is what holds. Its place is that line's, and what is told there names the use.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from policy.documents import KINDS
from policy.documents.shape import takes_one_value
from policy.findings import Finding, Place
from policy.parse import Document, Path, Plain

KEY: Final = "var"
SHOWN_USES: Final = 3
FIXED: Final = frozenset({"Variables", "Environment", "Include"})
"""Kinds that take no variable: what a policy is made of is the same in every environment."""


@dataclass(frozen=True, slots=True)
class Use:
    """A variable in place of a value of a document."""

    path: Path
    variable: str
    place: Place


@dataclass(frozen=True, slots=True)
class Value:
    """What a variable stands for, and where that is written."""

    plain: Plain
    place: Place


def uses(document: Document) -> tuple[Use, ...]:
    """The variables that stand in a document where one value does."""
    data = document.data
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind in FIXED or kind not in KINDS:
        return ()
    found = []
    for key in document.keys:
        if key[-1] == KEY and key[0] == "spec" and takes_one_value(KINDS[kind], key[1:-1]):
            variable = _named(document, key[:-1])
            if variable is not None:
                found.append(Use(key[:-1], variable, document.place(*key[:-1])))
    return tuple(found)


def filled(document: Document, used: Iterable[Use], values: Mapping[str, Value]) -> Document:
    """The document with values in the place of its variables, each of which has one."""
    data: Any = _copied(document.data)
    elsewhere = {}
    for use in used:
        value = values[use.variable]
        inside = data
        for part in use.path[:-1]:
            inside = inside[part]
        inside[use.path[-1]] = value.plain
        elsewhere[use.path] = value.place
    return replace(document, data=data, elsewhere=elsewhere)


def naming_uses(findings: Iterable[Finding], used: Iterable[Use], values: Mapping[str, Value]) -> list[Finding]:
    """The findings, each once; those at a variable's value say where it is used."""
    places: defaultdict[Place, dict[Place, None]] = defaultdict(dict)
    for use in used:
        places[values[use.variable].place][use.place] = None
    told = {place: _told(list(where)) for place, where in places.items()}
    return list(
        dict.fromkeys(
            replace(finding, message=f"{finding.message}; it is used at {told[finding.place]}")
            if finding.place in told
            else finding
            for finding in findings
        )
    )


def _told(places: list[Place]) -> str:
    more = f" and {len(places) - SHOWN_USES} more" if len(places) > SHOWN_USES else ""
    return " and ".join(map(str, places[:SHOWN_USES])) + more


def _named(document: Document, path: Path) -> str | None:
    """The variable that stands at a path; None when there is something else."""
    at: Any = document.data
    for part in path:
        at = at[part]
    if not isinstance(at, dict) or list(at) != [KEY]:
        return None
    name = at[KEY]
    return name if isinstance(name, str) else None


def _copied(data: Plain) -> Plain:
    """The same data in lists and mappings of its own."""
    if isinstance(data, list):
        return [_copied(each) for each in data]
    return {key: _copied(each) for key, each in data.items()} if isinstance(data, dict) else data
