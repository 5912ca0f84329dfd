"""Two sources of one policy: documents of one count where both have one of the same kind and name."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import yaml

from policy.bundles import BUNDLES
from policy.findings import Place
from policy.parse import parse
from policy.read_file import identity

Identity = tuple[str, str]
"""Kind and name of a document."""
Texts = Sequence[tuple[str, str]]
"""Files by name, with their texts."""


@dataclass(frozen=True, slots=True)
class Located:
    """A document of a file: what it is, where it begins, and its lines from `first` up to `end`, counted from 0."""

    identity: Identity
    place: Place
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Overruled:
    """A document that does not count, and where the one is that does."""

    identity: Identity
    place: Place
    by: Place


@dataclass(frozen=True, slots=True)
class Merged:
    """The texts of both sources; what does not count of a file is blank, so that all else stays in its lines."""

    texts: Texts
    overruled: tuple[Overruled, ...] = ()


def merged(winner: Texts, other: Texts) -> Merged:
    """Both sources as one; their files have different names.

    Documents within bundles overrule none and are not overruled. What is no YAML stays as it is.
    """
    winning = {each.identity: each.place for name, text in winner for each in located(name, text)}
    texts, overruled = list(winner), list[Overruled]()
    for name, text in other:
        losing = [each for each in located(name, text) if each.identity in winning]
        overruled += [Overruled(each.identity, each.place, winning[each.identity]) for each in losing]
        texts.append((name, _blanked(text, losing) if losing else text))
    return Merged(tuple(texts), tuple(overruled))


def located(name: str, text: str) -> tuple[Located, ...]:
    """The documents of a file, up to where it is no YAML; none of a bundle's."""
    if name.startswith(f"{BUNDLES}/"):
        return ()
    lines, found = tuple(_lines(text)), []
    for document in parse(name, text).documents:
        place = document.place()
        (first, end) = next((each for each in lines if each[0] < place.line <= each[1]), (0, 0))
        if end:
            found.append(Located(identity(document), place, first, end))
    return tuple(found)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """From which line, counted from 0, up to which each document of a file is, as far as it is YAML."""
    first = 0
    with suppress(yaml.YAMLError):
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            begin, end = event.start_mark, event.end_mark
            if isinstance(event, yaml.DocumentStartEvent) and begin:
                first = begin.line
            elif isinstance(event, yaml.DocumentEndEvent) and end:
                yield first, end.line + (end.column > 0)


def _blanked(text: str, gone: Sequence[Located]) -> str:
    lines = text.splitlines(keepends=True)
    for each in gone:
        for at in range(each.first, min(each.end, len(lines))):
            lines[at] = "\n"
    return "".join(lines)
