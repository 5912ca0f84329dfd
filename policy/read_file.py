"""One file for itself: its documents, and all that can be told of them without any other file."""

from collections.abc import Iterable
from dataclasses import dataclass

from policy.checks.contradictions import contradictions
from policy.checks.references import Reference, references, unknown_inside
from policy.checks.tests import named_by, unusable
from policy.documents import TEST
from policy.findings import Finding
from policy.parse import Document, parse
from policy.resolve import Item, item
from policy.validate import Valid, validate


@dataclass(frozen=True, slots=True)
class Part:
    """Documents of a file as far as they could be read.

    `declared` are the valid ones with what each declares, and `referred` what these refer to; `broken` are the
    (kind, name) that the others state. `findings` are within the documents.
    """

    declared: tuple[tuple[Valid, Item], ...]
    referred: tuple[Reference, ...]
    broken: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]

    @property
    def documents(self) -> int:
        """How many documents there are, valid or not."""
        return len(self.declared) + len(self.broken)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file: its documents that would be in force, its tests, and what keeps it from being read (`wrong`)."""

    policy: Part
    tests: Part
    wrong: tuple[Finding, ...]

    @property
    def is_tests_alone(self) -> bool:
        """Whether nothing in it would be in force."""
        return bool(self.tests.documents) and not self.policy.documents


def read_file(name: str, text: str) -> ReadFile:
    """The file of that name. Never raises: what is wrong comes back as findings."""
    parsed = parse(name, text)
    tests = [document for document in parsed.documents if _identity(document)[0] == TEST]
    others = [document for document in parsed.documents if _identity(document)[0] != TEST]
    return ReadFile(_part(others), _part(tests), parsed.findings)


def _part(documents: Iterable[Document]) -> Part:
    declared: list[tuple[Valid, Item]] = []
    referred: list[Reference] = []
    broken: list[tuple[str, str]] = []
    findings: list[Finding] = []
    for document in documents:
        valid, wrong = validate(document)
        findings += wrong
        if valid is None:
            broken.append(_identity(document))
            continue
        declares = item(valid)
        declared.append((valid, declares))
        referred += [*references(valid), *named_by(valid, declares)]
        findings += [*unknown_inside(valid), *contradictions(declares), *unusable(declares)]
    return Part(tuple(declared), tuple(referred), tuple(broken), tuple(findings))


def _identity(document: Document) -> tuple[str, str]:
    """Kind and name that a document states, however broken; empty where it states none."""
    data = document.data if isinstance(document.data, dict) else {}
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return str(data.get("kind")), str(name)
