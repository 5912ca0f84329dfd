"""One file for itself: its documents, and all that can be told of them without any other file."""

from dataclasses import dataclass

from policy.checks.contradictions import contradictions
from policy.checks.references import Reference, references, unknown_inside
from policy.findings import Finding
from policy.openslo.reading import OPENSLO, is_openslo, taken_apart
from policy.parse import Document, parse
from policy.resolve import Item, item
from policy.validate import Valid, validate


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file as far as it could be read.

    `declared` are its valid documents with what each declares, and `referred` what these refer to; `openslo` are its
    valid documents of OpenSLO, and `broken` are the (kind, name) that its other documents state. `wrong` keeps the file
    from being read, `findings` are within its documents.
    """

    declared: tuple[tuple[Valid, Item], ...]
    referred: tuple[Reference, ...]
    broken: tuple[tuple[str, str], ...]
    wrong: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    openslo: tuple[Valid, ...] = ()

    @property
    def documents(self) -> int:
        """How many documents there are in it, valid or not."""
        return len(self.declared) + len(self.broken) + len(self.openslo)


def read_file(name: str, text: str) -> ReadFile:
    """The file of that name. Never raises: what is wrong comes back as findings."""
    parsed = parse(name, text)
    declared: list[tuple[Valid, Item]] = []
    referred: list[Reference] = []
    broken: list[tuple[str, str]] = []
    findings: list[Finding] = []
    openslo: list[Valid] = []
    for document in (each for whole in parsed.documents for each in taken_apart(whole)):
        if is_openslo(document):
            valid, wrong = validate(document, OPENSLO)
            findings += wrong
            if valid:
                openslo.append(valid)
            else:
                kind, called = _identity(document)
                broken.append((f"OpenSLO {kind}", called))  # none of ours: nothing of ours refers to it
            continue
        valid, wrong = validate(document)
        findings += wrong
        if valid is None:
            broken.append(_identity(document))
            continue
        declares = item(valid)
        declared.append((valid, declares))
        referred += references(valid)
        findings += [*unknown_inside(valid), *contradictions(declares)]
    return ReadFile(tuple(declared), tuple(referred), tuple(broken), parsed.findings, tuple(findings), tuple(openslo))


def _identity(document: Document) -> tuple[str, str]:
    """Kind and name that a document states, however broken; empty where it states none."""
    data = document.data if isinstance(document.data, dict) else {}
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return str(data.get("kind")), str(name)
