"""One file for itself: its documents, and all that can be told of them without any other file."""

from dataclasses import dataclass

from policy.checks.contradictions import contradictions
from policy.checks.inside import unknown_inside
from policy.checks.references import Reference, references
from policy.findings import Finding
from policy.parse import Document, parse
from policy.resolve import Item, item
from policy.validate import Valid, validate


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file as far as it could be read.

    `declared` are its valid documents with what each declares, and `referred` what these refer to; `broken` are the
    (kind, name) that its other documents state. `wrong` keeps it from being read, `findings` are within its documents.
    """

    declared: tuple[tuple[Valid, Item], ...]
    referred: tuple[Reference, ...]
    broken: tuple[tuple[str, str], ...]
    wrong: tuple[Finding, ...]
    findings: tuple[Finding, ...]

    @property
    def documents(self) -> int:
        """How many documents there are in it, valid or not."""
        return len(self.declared) + len(self.broken)


def read_file(name: str, text: str) -> ReadFile:
    """The file of that name. Never raises: what is wrong comes back as findings."""
    parsed = parse(name, text)
    declared: list[tuple[Valid, Item]] = []
    referred: list[Reference] = []
    broken: list[tuple[str, str]] = []
    findings: list[Finding] = []
    for document in parsed.documents:
        valid, wrong = validate(document)
        findings += wrong
        if valid is None:
            broken.append(_identity(document))
            continue
        declares = item(valid)
        declared.append((valid, declares))
        referred += references(valid)
        findings += [*unknown_inside(valid), *contradictions(declares)]
    return ReadFile(tuple(declared), tuple(referred), tuple(broken), parsed.findings, tuple(findings))


def _identity(document: Document) -> tuple[str, str]:
    """Kind and name that a document states, however broken; empty where it states none."""
    data = document.data if isinstance(document.data, dict) else {}
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return str(data.get("kind")), str(name)
