"""One file for itself: its documents, and all that can be told of them without any other file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from policy.checks.contradictions import contradictions
from policy.checks.inside import unknown_inside
from policy.checks.references import Reference, references
from policy.checks.tests import named_by, unusable
from policy.documents import TEST
from policy.findings import Finding
from policy.openslo.reading import OPENSLO, is_openslo, taken_apart
from policy.parse import Document, parse
from policy.resolve import Item, item
from policy.testing import PolicyTest
from policy.validate import Valid, validate
from policy.variables import KEY, Use, uses


@dataclass(frozen=True, slots=True)
class Tests:
    """The tests of a file: how many there are, the valid ones, what these refer to, and what is wrong within them."""

    documents: int
    declared: tuple[tuple[Valid, PolicyTest], ...]
    referred: tuple[Reference, ...]
    findings: tuple[Finding, ...]


NO_TESTS: Final = Tests(0, (), (), ())


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file as far as it could be read.

    `declared` are its valid documents with what each declares, and `referred` what these refer to; `openslo` are its
    valid documents of OpenSLO, and `broken` are the (kind, name) that its other documents state; `waiting` are those
    with variables, to be read once their values are known. `wrong` keeps it from being read, `findings` are within its
    documents. All of it is without `tests`.
    """

    declared: tuple[tuple[Valid, Item], ...]
    referred: tuple[Reference, ...]
    broken: tuple[tuple[str, str], ...]
    wrong: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    waiting: tuple[tuple[Document, tuple[Use, ...]], ...] = ()
    tests: Tests = NO_TESTS
    openslo: tuple[Valid, ...] = ()

    @property
    def documents(self) -> int:
        """How many documents there are in it, valid or not."""
        return len(self.declared) + len(self.broken) + len(self.openslo) + len(self.waiting)

    @property
    def is_tests_alone(self) -> bool:
        """Whether nothing in it would be in force."""
        return bool(self.tests.documents) and not self.documents


def read_file(name: str, text: str) -> ReadFile:
    """The file of that name. Never raises: what is wrong comes back as findings."""
    parsed = parse(name, text)
    documents = [document for document in parsed.documents if identity(document)[0] != TEST]
    tests = [document for document in parsed.documents if identity(document)[0] == TEST]
    used = [uses(document) if KEY in text and not is_openslo(document) else () for document in documents]
    both = list(zip(documents, used, strict=True))
    read = read_documents(document for document, names in both if not names)
    waiting = tuple((document, names) for document, names in both if names)
    return replace(read, wrong=parsed.findings, waiting=waiting, tests=_tests(tests) if tests else NO_TESTS)


def read_documents(documents: Iterable[Document]) -> ReadFile:
    """Documents whose variables have their values. Never raises."""
    declared: list[tuple[Valid, Item]] = []
    referred: list[Reference] = []
    broken: list[tuple[str, str]] = []
    findings: list[Finding] = []
    openslo: list[Valid] = []
    for document in (each for whole in documents for each in taken_apart(whole)):
        if is_openslo(document):
            valid, wrong = validate(document, OPENSLO)
            findings += wrong
            if valid:
                openslo.append(valid)
            else:
                kind, called = identity(document)
                broken.append((f"OpenSLO {kind}", called))  # none of ours: nothing of ours refers to it
            continue
        valid, wrong = validate(document)
        findings += wrong
        if valid is None:
            broken.append(identity(document))
            continue
        declares = item(valid)
        declared.append((valid, declares))
        referred += references(valid)
        findings += [*unknown_inside(valid), *contradictions(declares)]
    return ReadFile(tuple(declared), tuple(referred), tuple(broken), (), tuple(findings), openslo=tuple(openslo))


def _tests(documents: Sequence[Document]) -> Tests:
    declared: list[tuple[Valid, PolicyTest]] = []
    referred: list[Reference] = []
    findings: list[Finding] = []
    for document in documents:
        valid, wrong = validate(document)
        findings += wrong
        test = item(valid) if valid else None
        if valid and isinstance(test, PolicyTest):
            declared.append((valid, test))
            referred += named_by(valid, test)
            findings += unusable(test)
    return Tests(len(documents), tuple(declared), tuple(referred), tuple(findings))


def identity(document: Document) -> tuple[str, str]:
    """Kind and name that a document states, however broken; empty where it states none."""
    data = document.data if isinstance(document.data, dict) else {}
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return str(data.get("kind")), str(name)
