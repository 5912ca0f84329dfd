"""YAML text to plain data, with the place of every key and value.

The text is read event by event, never composed: nesting, size and aliases are judged before anything is built from
them, so no file can exhaust the machine. Only what JSON could say as well is accepted (no anchors, no tags), and `NO`,
`on` and `12:30` are texts. Numbers with a point become Decimal, so nothing is rounded.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import yaml

from policy.catalogue import error, warning
from policy.findings import Finding, Place
from policy.words import shown

MAX_CHARACTERS: Final = 1_000_000
MAX_DEPTH: Final = 32
MAX_NODES: Final = 50_000
"""Keys and values in one file."""
MAX_SCALAR_CHARACTERS: Final = 4_096

Path = tuple[str | int, ...]
Position = tuple[int, int]
"""Line and column, both from 1. A million of them are cheaper to keep than as many places."""
Plain = None | bool | int | Decimal | str | list["Plain"] | dict[str, "Plain"]

_BOM: Final = "\ufeff"
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_DECIMAL: Final = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}", re.ASCII)
_NUMBER_STARTS: Final = frozenset("+-0123456789")
_CONSTANTS: Final[Mapping[str, bool | None]] = {"": None, "~": None, "null": None, "true": True, "false": False}
_NOT_PRINTABLE: Final = re.compile("[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""What YAML 1.2 (section 5.1) leaves out of its printable characters."""


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document. Paths are keys and indexes from its root; () is the root.

    `elsewhere` has the values that stand at other places than they are used at.
    """

    file: str
    data: Plain
    values: Mapping[Path, Position]
    keys: Mapping[Path, Position]
    elsewhere: Mapping[Path, Place] = field(default_factory=dict, repr=False)

    def place(self, *path: str | int) -> Place:
        """Where the value at the path begins, or the nearest thing around it that exists."""
        while path and path not in self.values:
            path = path[:-1]
        if path in self.elsewhere:
            return self.elsewhere[path]
        return _place(self.file, self.values[path])

    def entries(self) -> "list[Document]":
        """The entries of a list as documents of their own; none of anything else."""
        if not isinstance(self.data, list):
            return []
        values: list[dict[Path, Position]] = [{} for _ in self.data]
        keys: list[dict[Path, Position]] = [{} for _ in self.data]
        for positions, by_entry in ((self.values, values), (self.keys, keys)):
            for path, position in positions.items():
                if path and isinstance(path[0], int):
                    by_entry[path[0]][path[1:]] = position
        return [Document(self.file, *parts) for parts in zip(self.data, values, keys, strict=True)]

    def key_place(self, *path: str | int) -> Place:
        """Where the last key of the path stands; the value's place for an element of a list."""
        position = self.keys.get(path)
        return _place(self.file, position) if position else self.place(*path)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The documents of a file that could be read, and everything wrong with it."""

    documents: tuple[Document, ...]
    findings: tuple[Finding, ...]


class _RefusedError(Exception):
    """The rest of the file is not read, for the reason in the finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def parse(file: str, text: str) -> Parsed:
    """All documents of a YAML text. Never raises: what is wrong comes back as findings, each with its place."""
    top = Place(file, 1, 1)
    if len(text) > MAX_CHARACTERS:
        message = f"the file has {len(text)} characters, over {MAX_CHARACTERS}"
        return Parsed((), (error("GW0102", top, message, "split it into several files"),))
    findings: list[Finding] = []
    if text.startswith(_BOM):
        message = "the file begins with a byte order mark"
        findings.append(warning("GW0104", top, message, "save it as UTF-8 without one"))
        text = text.removeprefix(_BOM)
    odd = _NOT_PRINTABLE.search(text)
    if odd:
        message = f"the character U+{ord(odd[0]):04X} is not allowed in YAML"
        findings.append(error("GW0101", place_at(file, text, odd.start()), message, "remove it"))
        return Parsed((), tuple(findings))
    documents: list[Document] = []
    reader = _Reader(file, text, findings)
    try:
        documents.extend(reader.documents())
    except _RefusedError as refused:
        findings.append(refused.finding)
    except yaml.MarkedYAMLError as trouble:
        findings.append(_not_yaml(file, text, trouble))
    return Parsed(tuple(documents), tuple(findings))


def place_at(file: str, text: str, offset: int) -> Place:
    """The place of the character at an offset."""
    return Place(file, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def _not_yaml(file: str, text: str, trouble: yaml.MarkedYAMLError) -> Finding:
    mark = trouble.problem_mark or trouble.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
    line = dict(enumerate(text.split("\n"), 1)).get(place.line, "")
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent:
        tab = Place(file, place.line, indent.index("\t") + 1)
        return error("GW0101", tab, "the line is indented with a tab, which YAML does not allow", "indent with spaces")
    told = " ".join(part for part in (trouble.context, trouble.problem) if part)
    hint = "check the indentation here and in the line before, and quote texts that hold any of : # { } [ ]"
    return error("GW0101", place, f"the text is not YAML: {told}", hint)


@dataclass(slots=True)
class _Build:
    """Where things of the document that is read stand."""

    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)


class _Reader:
    """Reads the events of one file, and remembers what is wrong where it could go on."""

    def __init__(self, file: str, text: str, findings: list[Finding]) -> None:
        self._file = file
        self._findings = findings
        self._nodes = 0
        self._next: Callable[[], yaml.Event] = yaml.CSafeLoader(text).get_event  # type: ignore[assignment]

    def documents(self) -> Iterator[Document]:
        """Each document as it ends."""
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                build = _Build()
                data = self._value(self._next(), (), build)
                if data is not None:
                    yield Document(self._file, data, build.values, build.keys)

    def _place(self, event: yaml.Event) -> Place:
        return _place(self._file, _position(event))

    def _value(self, event: yaml.Event, path: Path, build: _Build) -> Plain:
        self._guard(event, len(path))
        build.values[path] = _position(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, build)
        return self._mapping(path, build)

    def _guard(self, event: yaml.Event, depth: int) -> None:
        """Raise _RefusedError for what no document may hold. An alias always has an anchor, and never a tag."""
        self._nodes += 1
        anchor: str | None = event.anchor  # type: ignore[attr-defined]
        if anchor is not None or event.tag is not None:  # type: ignore[attr-defined]
            word = "alias" if isinstance(event, yaml.AliasEvent) else "anchor"
            what = f"the {word} {shown(anchor)}" if anchor is not None else f"the tag {shown(event.tag)}"  # type: ignore[attr-defined]
            hint = "write the value out in full; quote it if it is a text that begins with & * or !"
            raise _RefusedError(
                error("GW0105", self._place(event), f"{what} is used, which policy files may not", hint)
            )
        if depth > MAX_DEPTH:
            message = f"values are nested more than {MAX_DEPTH} deep"
            raise _RefusedError(
                error("GW0102", self._place(event), message, "no document needs that; check the indentation")
            )
        if self._nodes > MAX_NODES:
            message = f"the file has more than {MAX_NODES} keys and values"
            raise _RefusedError(error("GW0102", self._place(event), message, "split it into several files"))

    def _scalar(self, event: yaml.ScalarEvent) -> Plain:
        text: str = event.value
        if len(text) > MAX_SCALAR_CHARACTERS:
            message = f"a text has {len(text)} characters, over {MAX_SCALAR_CHARACTERS}"
            raise _RefusedError(error("GW0102", self._place(event), message, "shorten it"))
        if event.style:  # C and Python readers differ in what a plain text's style is: "" or None
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text[0] not in _NUMBER_STARTS:
            return text
        if _INTEGER.fullmatch(text):
            return int(text)
        return Decimal(text) if _DECIMAL.fullmatch(text) else text

    def _sequence(self, path: Path, build: _Build) -> list[Plain]:
        items: list[Plain] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items)), build))
        return items

    def _mapping(self, path: Path, build: _Build) -> dict[str, Plain]:
        found: dict[str, Plain] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            self._guard(event, len(path))
            if not isinstance(event, yaml.ScalarEvent):
                raise _RefusedError(error("GW0101", self._place(event), "a key is not a text", "write `key: value`"))
            key: str = event.value
            if len(key) > MAX_SCALAR_CHARACTERS:
                message = f"a key has {len(key)} characters, over {MAX_SCALAR_CHARACTERS}"
                raise _RefusedError(error("GW0102", self._place(event), message, "shorten it"))
            below = (*path, key)
            if key in found:
                self._stands_twice(event, build.keys[below])
                self._value(self._next(), below, _Build())
                continue
            build.keys[below] = _position(event)
            found[key] = self._value(self._next(), below, build)
        return found

    def _stands_twice(self, event: yaml.ScalarEvent, first: Position) -> None:
        message = f"the key {shown(event.value)} stands twice; the first is at {_place(self._file, first)}"
        self._findings.append(error("GW0103", self._place(event), message, "keep one of the two"))


def _position(event: yaml.Event) -> Position:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _place(file: str, position: Position) -> Place:
    return Place(file, *position)
